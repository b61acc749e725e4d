// The widget's side of @holdline/client: what is true about the chat now, and one signal when it changes.
import { Holdline, HoldlineError } from '@holdline/client';
import type {
  Availability, Conversation, Enquiry, EventMap, Form, HoldlineClient, Identity, Message, Options, PendingMessage, WidgetConfig,
} from '@holdline/client';
import type { Face } from './form';
import type { Store } from './store';

const TICK_MS = 1000;
const LOST_TICKS = 2; // shorter is not worth a word
const GONE_TICKS = 20; // longer is no hiccup: the form is the better offer
const CONFIG_MS = 5000;
const POLL_TICKS = 10;
const RETRY_TICKS = 4;

export const DEFAULTS: WidgetConfig = {
  site: 'default', inbox: '', title: null, greeting: null, accent: null, consent: null, locale: null,
  form: { name: 'optional', email: 'optional', phone: 'off' },
  availability: { open: true, agents_online: 1, queue: 0, expected_wait_s: null, opens_at: null },
};

export interface SessionEvents {
  change(): void;
  message(message: Message): void;
  position(detail: EventMap['position']): void;
  typing(detail: EventMap['typing']): void;
  reset(): void;
  config(): void;
}

export interface LeftEnquiry {
  form: Form;
  answer: Enquiry | null; // null: not stored yet
}

export class Session {
  config: WidgetConfig = DEFAULTS;
  availability: Availability | null = null;
  conversation: Conversation | null = null;
  enquiry: LeftEnquiry | null = null;
  /** Why the chat cannot go on at all. */
  end: HoldlineError | null = null;
  isLoading = false;
  /** Whether the gateway could be reached the last time it mattered. */
  isReachable = true;
  context: Record<string, unknown> = {};
  #client: HoldlineClient;
  #store: Store;
  #events: SessionEvents;
  #ticks = 0;
  #lostTicks = 0;
  #awayCount = 0;
  #isWatched = false;
  #hasConfig = false;
  #timer: ReturnType<typeof setInterval>;

  constructor(options: Options, identity: Identity | null, store: Store, events: SessionEvents) {
    this.#store = store;
    this.#events = events;
    const client: HoldlineClient = new Holdline({ ...options, ...(identity && { identity }) });
    this.#client = client;
    client.on('state', () => this.#onState());
    client.on('message', (message) => events.message(message));
    client.on('pending', () => events.change());
    client.on('ack', () => events.change());
    client.on('position', (detail) => events.position(detail));
    client.on('typing', (detail) => events.typing(detail));
    client.on('assigned', () => events.change());
    client.on('closed', () => events.change());
    client.on('gap', ({ reason }) => reason === 'reset' && events.reset());
    client.on('availability', (now) => this.#onAvailability(now));
    client.on('error', (error) => this.#onError(error));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** A chat was begun here, perhaps without any connection until now. */
  get hasEarlier(): boolean {
    return this.#client.hasSession || this.#store.get('local', 'widget') === 'chat';
  }

  get isDurable(): boolean {
    return this.#client.durable;
  }

  get isLinked(): boolean {
    return this.#client.state === 'connected' || this.#client.state === 'degraded';
  }

  get link(): 'ok' | 'lost' | 'gone' {
    if (this.isLinked || !this.conversation) return 'ok';
    return this.#lostTicks >= GONE_TICKS ? 'gone' : this.#lostTicks >= LOST_TICKS ? 'lost' : 'ok';
  }

  /** Whether one can chat now, or had better leave a message. */
  get face(): Face {
    if (this.conversation ? this.link === 'gone' : !this.isReachable) return 'gone';
    return this.isAway ? 'away' : 'chat';
  }

  get isAway(): boolean {
    return this.#awayCount > (this.conversation ? 1 : 0);
  }

  /** While somebody looks, how it stands is asked for every now and then. */
  watch(isWatched: boolean): void {
    if (isWatched && !this.#isWatched) this.#ticks = 0;
    this.#isWatched = isWatched;
  }

  /** What the operator set; without an answer the defaults, until there is one. */
  async load(): Promise<void> {
    const late = new Promise<never>((_, reject) => setTimeout(reject, CONFIG_MS, new HoldlineError('timeout')));
    this.isLoading = true;
    try {
      this.config = await Promise.race([this.#client.config(), late]);
      this.isLoading = false;
      this.#hasConfig = true;
      this.isReachable = true;
      this.#onAvailability(this.config.availability);
      this.#events.config();
    } catch (error) {
      this.isLoading = false;
      this.#hasConfig = (error as HoldlineError).code === 'not_found';
      this.isReachable = this.#hasConfig;
      this.#events.change();
    }
  }

  async begin(form?: Form): Promise<Conversation> {
    this.#store.set('local', 'widget', 'chat');
    this.conversation = await this.#client.start(form && { ...form, context: this.context });
    this.#events.change();
    return this.conversation;
  }

  /** A form into the conversation there is. */
  leave(form: Form): PendingMessage {
    return this.conversation!.send({ ...form, context: this.context }, { kind: 'form' });
  }

  /** An enquiry of its own. Kept until it is stored there, also over a reload. */
  async enquire(form: Form): Promise<void> {
    const left: LeftEnquiry = { form, answer: null };
    this.enquiry = left;
    this.#store.set('local', 'widget', 'enquiry');
    this.#store.set('local', 'enquiry', JSON.stringify(form));
    this.#events.change();
    try {
      left.answer = await this.#client.enquire(form);
    } finally {
      this.#store.set('local', 'enquiry', null);
      if (!this.conversation) this.#store.set('local', 'widget', null);
      this.#events.change();
    }
  }

  get leftEarlier(): Form | null {
    const kept = this.#store.get('local', 'enquiry');
    return kept ? (JSON.parse(kept) as Form) : null;
  }

  async destroy(forget: boolean): Promise<void> {
    clearInterval(this.#timer);
    if (forget) {
      this.#store.set('local', 'widget', null);
      this.#store.set('local', 'enquiry', null);
      this.#store.set('session', 'draft', null);
    }
    await this.#client.destroy({ forget });
  }

  // Ticks are counted, not times compared: a tab that was frozen has not waited.
  #tick(): void {
    if (this.conversation && !this.isLinked && !this.end) {
      this.#lostTicks += 1;
      if (this.#lostTicks === LOST_TICKS || this.#lostTicks === GONE_TICKS) this.#events.change();
    }
    if (!this.#isWatched || document.hidden) return;
    this.#ticks += 1;
    if (this.#ticks % (this.isReachable ? POLL_TICKS : RETRY_TICKS) === 0) void this.#poll();
  }

  async #poll(): Promise<void> {
    if (!this.#hasConfig) return this.isLoading ? undefined : this.load();
    try {
      this.#onAvailability(await this.#client.availability());
      this.isReachable = true;
    } catch (error) {
      if ((error as HoldlineError).code === 'not_found') return;
      this.isReachable = false;
    }
    this.#events.change();
  }

  #onAvailability(now: Availability): void {
    this.availability = now;
    this.#awayCount = now.open && now.agents_online > 0 ? 0 : this.#awayCount + 1;
    this.#events.change();
  }

  #onState(): void {
    if (this.isLinked) {
      this.#lostTicks = 0;
      this.isReachable = true;
      this.end = null;
    }
    this.#events.change();
  }

  #onError(error: HoldlineError): void {
    if (this.#client.state === 'disconnected' && !error.retryable && this.conversation) this.end = error;
    this.#events.change();
  }
}
