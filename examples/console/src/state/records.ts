// Every conversation this console has heard of, as it is now.
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Client } from '../api/client';
import { conversations } from '../api/conversations';
import { isProblem } from '../api/problem';
import type { Conversation, FeedEvent } from '../api/types';
import { fold } from './fold';

const COALESCE_MS = 250;
const AT_ONCE = 4;

export class Records {
  readonly #client: Client;
  readonly #me: () => string;
  readonly #all = signal<ReadonlyMap<string, Conversation>>(new Map());
  readonly #stale = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = 0;

  constructor(client: Client, me: () => string) {
    this.#client = client;
    this.#me = me;
  }

  get all(): ReadonlySignal<ReadonlyMap<string, Conversation>> {
    return this.#all;
  }

  get(id: string): Conversation | undefined {
    return this.#all.value.get(id);
  }

  // The answer to a change may come without what the index knows; that is fetched.
  put(items: readonly Conversation[]): void {
    const next = new Map(this.#all.value);
    for (const item of items) {
      const known = next.get(item.id);
      const isWhole = item.timers !== undefined;
      if (!isWhole) this.refresh(item.id);
      if (known ? item.head >= known.head : isWhole) next.set(item.id, { ...known, ...item });
    }
    this.#all.value = next;
  }

  // The log was restored: what is known may never have been.
  clear(): void {
    this.#all.value = new Map();
  }

  // Folds what happened at once, and asks the gateway for what it alone knows.
  take(events: readonly FeedEvent[]): void {
    const next = new Map(this.#all.value);
    for (const event of events) {
      const known = next.get(event.conversation);
      if (known) next.set(known.id, fold(known, event, this.#me()));
      this.refresh(event.conversation);
    }
    this.#all.value = next;
  }

  refresh(id: string): void {
    this.#stale.add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#fetch();
    }, COALESCE_MS);
  }

  // The conversation as the gateway knows it; the newest state and etag.
  async load(id: string): Promise<Conversation> {
    const conversation = await conversations.get(this.#client, id);
    this.put([conversation]);
    return conversation;
  }

  #fetch(): void {
    for (const id of this.#stale) {
      if (this.#running >= AT_ONCE) return;
      this.#stale.delete(id);
      this.#running += 1;
      void this.load(id)
        .catch((error: unknown) => this.#give(id, error))
        .finally(() => {
          this.#running -= 1;
          this.#fetch();
        });
    }
  }

  // Not for us (another inbox), or gone.
  #give(id: string, error: unknown): void {
    if (!isProblem(error) || (error.status !== 404 && error.status !== 403)) return;
    const next = new Map(this.#all.value);
    next.delete(id);
    this.#all.value = next;
  }
}
