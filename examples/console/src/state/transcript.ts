// One conversation's entries: the newest page first, then back page by page as somebody scrolls, and
// forward from the last one whenever something is missing.
import { signal } from '@preact/signals';
import type { Client } from '../api/client';
import { conversations } from '../api/conversations';
import { wordsOf } from '../api/problem';
import type { Entry, MessagePage, Position } from '../api/types';
import { append, EMPTY, firstOf, lastOf, prepend, type Range } from './range';

const PAGE = 60;
const FORWARD_PAGE = 200;

export class Transcript {
  readonly id: string;
  readonly range = signal<Range>(EMPTY);
  readonly isLoaded = signal(false);
  readonly isLoadingEarlier = signal(false);
  readonly failure = signal<string | null>(null);
  readonly positions = signal<readonly Position[]>([]);
  readonly #client: Client;
  readonly #onEntries: (entries: readonly Entry[]) => void;
  #epoch = '';
  #level: Promise<void> | null = null;
  #again = false;

  constructor(client: Client, id: string, onEntries: (entries: readonly Entry[]) => void) {
    this.#client = client;
    this.id = id;
    this.#onEntries = onEntries;
  }

  get last(): number {
    return lastOf(this.range.value);
  }

  // An entry of the feed.
  take(entry: Entry): void {
    if (!this.isLoaded.value) return;
    const next = append(this.range.value, [entry]);
    if (next) this.range.value = next;
    else void this.catchUp();
  }

  // Everything up to the head. Calls at the same time share one run, which looks again at its end.
  catchUp(): Promise<void> {
    this.#again = true;
    this.#level ??= this.#run().finally(() => (this.#level = null));
    return this.#level;
  }

  async earlier(): Promise<void> {
    if (this.isLoadingEarlier.value || !this.range.value.hasEarlier || !this.isLoaded.value) return;
    this.isLoadingEarlier.value = true;
    try {
      const page = await conversations.messages(this.#client, this.id, { before: firstOf(this.range.value), limit: PAGE });
      if (page.epoch === this.#epoch) this.range.value = prepend(this.range.value, page.data, page.has_more);
    } catch (error) {
      this.failure.value = wordsOf(error);
    } finally {
      this.isLoadingEarlier.value = false;
    }
  }

  async refreshPositions(): Promise<void> {
    const { data } = await conversations.positions(this.#client, this.id);
    this.positions.value = data;
  }

  // Another epoch: nothing that is here counts.
  reset(): void {
    this.range.value = EMPTY;
    this.isLoaded.value = false;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await (this.isLoaded.value ? this.#forward() : this.#load());
      }
      this.failure.value = null;
    } catch (error) {
      this.#again = false;
      this.failure.value = wordsOf(error);
    }
  }

  async #load(): Promise<void> {
    const page = await conversations.messages(this.#client, this.id, { before: 0, limit: PAGE });
    this.#epoch = page.epoch;
    this.range.value = { entries: page.data, hasEarlier: page.has_more };
    this.isLoaded.value = true;
    this.#onEntries(page.data);
  }

  async #forward(): Promise<void> {
    for (let hasMore = true; hasMore; ) {
      const page: MessagePage = await conversations.messages(this.#client, this.id, { after: this.last, limit: FORWARD_PAGE });
      if (page.epoch !== this.#epoch) {
        this.reset();
        await this.#load();
        return;
      }
      const next = append(this.range.value, page.data);
      if (next) this.range.value = next;
      this.#onEntries(page.data);
      hasMore = page.has_more && page.data.length > 0;
    }
  }
}
