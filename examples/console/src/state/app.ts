// Everything of one signed-in agent: made at sign-in, stopped at sign-out.
import { batch, signal } from '@preact/signals';
import type { Client } from '../api/client';
import { conversations } from '../api/conversations';
import { Outbox, type OutboxItem } from '../api/outbox';
import type { Agent, Conversation, Entry, FeedEvent, Stored } from '../api/types';
import { Feed, type FeedState } from '../feed/feed';
import { pollCarrier } from '../feed/poll';
import { streamCarrier } from '../feed/stream';
import { webSocketCarrier } from '../feed/websocket';
import { Attention } from './attention';
import { Bell } from './bell';
import { Drafts } from './drafts';
import { textOf } from './fold';
import { People } from './people';
import { Guests } from './presence';
import { Queue } from './queue';
import { Records } from './records';
import { Transcript } from './transcript';

export class App {
  readonly client: Client;
  readonly me = signal<Agent>({ id: '', name: '', role: 'agent' });
  readonly feedState = signal<FeedState>({ kind: 'connecting', carrier: null, node: '' });
  readonly unconfirmed = signal<readonly OutboxItem[]>([]);
  readonly arrived = signal<Entry | null>(null); // the visitor's newest message, for screen readers
  readonly isOutboxDurable = signal(true);
  readonly records: Records;
  readonly queue: Queue;
  readonly people: People;
  readonly guests = new Guests();
  readonly attention: Attention;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly bell: Bell;
  readonly #feed: Feed;
  readonly #transcripts = new Map<string, Transcript>();
  #isStopped = false;

  constructor(client: Client, me: Agent) {
    const who = (): string => this.me.value.id;
    this.client = client;
    this.me.value = me;
    this.records = new Records(client, who);
    this.queue = new Queue(client, this.records, who);
    this.people = new People(client);
    this.attention = new Attention(client);
    this.drafts = new Drafts(localStorage, `holdline.console.drafts.${me.id}`);
    this.bell = new Bell(this.queue.unread);
    this.outbox = new Outbox({
      storage: localStorage,
      name: `holdline.console.outbox.${me.id}`,
      write: ({ conversation, clientId, text, visibility, if_seen }, stop) =>
        conversations.write(client, conversation, clientId, { text, visibility, ...(if_seen === undefined ? {} : { if_seen }) }, stop),
      onChange: () => this.#showOutbox(),
      onStored: (item, stored) => this.#takeStored(item, stored),
    });
    this.#feed = new Feed(client, [webSocketCarrier(client), streamCarrier(client), pollCarrier(client)], {
      onResync: () => this.#resync(),
      onEvents: (events) => batch(() => this.#take(events)),
      onPresence: (presence) => {
        if (presence.what === 'online') this.people.setOnline(presence.from.id, presence.on);
        else this.guests.take(presence, Date.now());
      },
      onState: (state) => this.#showState(state),
    });
  }

  start(): void {
    this.#showOutbox();
    this.outbox.flush();
    void this.#runFeed();
    addEventListener('online', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
  }

  stop(): void {
    this.#isStopped = true;
    this.#feed.stop();
    this.outbox.stop();
    this.attention.stop();
    this.bell.stop();
    removeEventListener('online', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
  }

  // The feed ends by itself only when it was told that nobody is signed in. If so, the same answer
  // to this question closes the door; if not, the feed goes on.
  async #runFeed(): Promise<void> {
    while (!this.#isStopped) {
      await this.#feed.run();
      if (!this.#isStopped) await this.client.call('/v1/agent').catch(() => {});
    }
  }

  // Tries to connect at once.
  wake(): void {
    this.#feed.wake();
    this.outbox.flush();
  }

  transcript(id: string): Transcript {
    const known = this.#transcripts.get(id);
    if (known) return known;
    const made = new Transcript(this.client, id, (entries) => this.#confirm(entries));
    this.#transcripts.set(id, made);
    return made;
  }

  nameOfAgent(id: string | null | undefined): string {
    if (!id) return '';
    return id === this.me.value.id ? 'You' : this.people.nameOf(id) || 'A colleague';
  }

  assigneeOf({ assignee, assignee_name }: Conversation): string {
    if (assignee === this.me.value.id) return 'You';
    return assignee ? this.people.nameOf(assignee) || assignee_name || 'A colleague' : '';
  }

  #wake = (): void => {
    if (document.visibilityState === 'visible') this.wake();
  };

  #showOutbox(): void {
    this.unconfirmed.value = this.outbox.items;
    this.isOutboxDurable.value = this.outbox.isDurable;
  }

  #showState(state: FeedState): void {
    const wasLive = this.feedState.value.kind === 'live';
    this.feedState.value = state;
    if (state.kind === 'live' && !wasLive) {
      this.outbox.flush();
      for (const transcript of this.#transcripts.values()) if (transcript.failure.value) void transcript.catchUp();
    }
  }

  // The feed starts over: everything is read again, from the gateway's word.
  async #resync(): Promise<void> {
    if (this.#transcripts.size > 0 || this.records.all.value.size > 0) this.records.clear();
    this.guests.clear();
    await Promise.all([this.queue.reload(), this.people.load()]);
    for (const transcript of this.#transcripts.values()) if (transcript.isLoaded.value) void transcript.catchUp();
  }

  #take(events: readonly FeedEvent[]): void {
    this.records.take(events);
    this.#confirm(events);
    for (const event of events) {
      this.client.place.note(event.cursor);
      this.#transcripts.get(event.conversation)?.take(event);
      if (event.kind === 'message' || event.kind === 'note') this.guests.stopTyping(event.conversation, event.from);
      if (event.from.role === 'visitor' && (event.kind === 'message' || event.kind === 'form')) this.#announce(event);
    }
  }

  #announce(event: FeedEvent): void {
    const conversation = this.records.get(event.conversation);
    const assignee = conversation?.assignee ?? null;
    if (assignee !== null && assignee !== this.me.value.id) return;
    this.arrived.value = event;
    this.bell.ring({
      conversation: event.conversation,
      title: conversation?.contact?.name || 'New message',
      text: textOf(event),
    });
  }

  #confirm(entries: readonly Entry[]): void {
    this.outbox.confirm(new Set(entries.filter(({ from }) => from.id === this.me.value.id).map(({ client_id }) => client_id)));
  }

  #takeStored(item: OutboxItem, stored: Stored): void {
    const entry: Entry = {
      conversation: item.conversation,
      offset: stored.offset,
      client_id: stored.client_id,
      from: { role: this.me.value.role === 'integration' ? 'integration' : 'agent', id: this.me.value.id },
      ts: stored.ts,
      kind: item.visibility === 'internal' ? 'note' : 'message',
      visibility: item.visibility,
      body: { text: item.text },
    };
    this.#transcripts.get(item.conversation)?.take(entry);
    this.records.refresh(item.conversation);
  }
}
