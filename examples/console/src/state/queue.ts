// The list on the left: a view over the records, loaded page by page, or the answer to a search.
import { computed, signal } from '@preact/signals';
import type { Client } from '../api/client';
import { conversations, type Query } from '../api/conversations';
import { wordsOf } from '../api/problem';
import type { Conversation, Page } from '../api/types';
import type { Records } from './records';
import { fits, queryFor, sorted, sortsFor, type Sort, type ViewKey, type ViewName } from './view';

const PAGE = 60;
const COUNTED: ViewName[] = ['mine', 'unassigned', 'open'];

interface Loaded {
  cursor: string | null;
  hasMore: boolean;
}

export interface Search {
  q: string;
  status: string;
  inbox: string;
  tag: string;
  from: string;
  to: string;
}

export const NO_SEARCH: Search = { q: '', status: '', inbox: '', tag: '', from: '', to: '' };

export class Queue {
  readonly view = signal<ViewKey>('unassigned');
  readonly sort = signal<Sort>('due');
  readonly search = signal<Search | null>(null);
  readonly isLoading = signal(true);
  readonly failure = signal<string | null>(null);
  readonly #client: Client;
  readonly #records: Records;
  readonly #me: () => string;
  readonly #loaded = signal<ReadonlyMap<string, Loaded>>(new Map());
  readonly #found = signal<readonly string[]>([]);
  #asked: AbortController | null = null;

  constructor(client: Client, records: Records, me: () => string) {
    this.#client = client;
    this.#records = records;
    this.#me = me;
  }

  readonly shown = computed<Conversation[]>(() => {
    const all = this.#records.all.value;
    if (this.search.value) {
      return this.#found.value.map((id) => all.get(id)).filter((item) => item !== undefined);
    }
    return sorted([...all.values()].filter((item) => fits(this.view.value, item, this.#me())), this.sort.value);
  });

  readonly hasMore = computed(() => this.#loaded.value.get(this.#key())?.hasMore ?? false);

  // "12", or "60+" when not all are known.
  readonly counts = computed(() => {
    const all = [...this.#records.all.value.values()];
    return Object.fromEntries(
      COUNTED.map((name) => {
        const count = all.filter((item) => fits(name, item, this.#me())).length;
        const hasMore = [...this.#loaded.value].some(([key, { hasMore }]) => hasMore && key.startsWith(`${name} `));
        return [name, { count, hasMore }];
      }),
    ) as Record<'mine' | 'unassigned' | 'open', { count: number; hasMore: boolean }>;
  });

  // What is mine and has something new.
  readonly unread = computed(() => {
    let count = 0;
    for (const item of this.#records.all.value.values()) {
      if (item.status === 'open' && (item.assignee === this.#me() || item.assignee === null)) count += item.unread > 0 ? 1 : 0;
    }
    return count;
  });

  async select(view: ViewKey): Promise<void> {
    this.search.value = null;
    this.view.value = view;
    await this.#ensure();
  }

  async order(sort: Sort): Promise<void> {
    this.sort.value = sort;
    await this.#ensure();
  }

  async find(search: Search): Promise<void> {
    this.search.value = search;
    this.#found.value = [];
    await this.#load(null);
  }

  async more(): Promise<void> {
    const loaded = this.#loaded.value.get(this.#key());
    if (loaded?.hasMore && !this.isLoading.value) await this.#load(loaded.cursor);
  }

  // All over again, after which the feed goes on.
  async reload(): Promise<void> {
    this.#loaded.value = new Map();
    const names: ViewKey[] = [...new Set<ViewKey>([this.view.value, ...COUNTED])];
    await Promise.all(names.map((name) => this.#loadView(name, null)));
    if (this.search.value) await this.#load(null);
    this.isLoading.value = false;
  }

  #key(view: ViewKey = this.view.value): string {
    return this.search.value ? `search ${JSON.stringify(this.search.value)}` : `${view} ${this.sort.value}`;
  }

  async #ensure(): Promise<void> {
    if (!this.#loaded.value.has(this.#key())) await this.#load(null);
  }

  async #load(cursor: string | null): Promise<void> {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.isLoading.value = true;
    this.failure.value = null;
    try {
      if (this.search.value) await this.#loadSearch(this.search.value, cursor, asked.signal);
      else await this.#loadView(this.view.value, cursor, asked.signal);
    } catch (error) {
      if (!asked.signal.aborted) this.failure.value = wordsOf(error);
    } finally {
      if (this.#asked === asked) this.isLoading.value = false;
    }
  }

  async #loadView(view: ViewKey, cursor: string | null, stop?: AbortSignal): Promise<void> {
    const key = `${view} ${this.sort.value}`;
    const [sort, ...more] = sortsFor(view, this.sort.value);
    const query: Query = { ...queryFor(view), limit: PAGE };
    const ask = (part: Query): Promise<Page<Conversation>> => conversations.list(this.#client, { ...query, ...part }, stop);
    const asked = [ask({ ...(sort && { sort }), ...(cursor && { cursor }) }), ...(cursor ? [] : more.map((one) => ask({ sort: one })))];
    const [page, ...others] = await Promise.all(asked);
    if (!page) return;
    for (const { data } of [page, ...others]) this.#records.put(data);
    this.#loaded.value = new Map(this.#loaded.value).set(key, { cursor: page.next_cursor, hasMore: page.has_more });
  }

  async #loadSearch(search: Search, cursor: string | null, stop: AbortSignal): Promise<void> {
    const key = this.#key();
    const query: Query = {
      q: search.q,
      status: search.status,
      inbox: search.inbox,
      ...(search.tag ? { tag: [search.tag] } : {}),
      ...(search.from ? { opened_after: new Date(`${search.from}T00:00`).toISOString() } : {}),
      ...(search.to ? { opened_before: new Date(`${search.to}T23:59:59.999`).toISOString() } : {}),
      limit: PAGE,
      ...(cursor ? { cursor } : {}),
    };
    const page = await conversations.list(this.#client, query, stop);
    if (stop.aborted) return;
    this.#records.put(page.data);
    this.#found.value = [...(cursor ? this.#found.value : []), ...page.data.map(({ id }) => id)];
    this.#loaded.value = new Map(this.#loaded.value).set(key, { cursor: page.next_cursor, hasMore: page.has_more });
  }
}
