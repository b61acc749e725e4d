// What was written and is not confirmed yet. An item is stored before its first try and keeps its
// client id through every repeat, reload and node: the gateway takes it once. Within a conversation
// items go one after another, in the order they were written.
import { delayOf, pause } from './backoff';
import type { Letter } from './conversations';
import { isProblem, wordsOf } from './problem';
import type { Entry, Stored } from './types';

export interface OutboxItem extends Letter {
  clientId: string;
  conversation: string;
  writtenAt: number;
  failure?: { code: string; words: string; missed?: Entry[]; head?: number };
}

type Write = (item: OutboxItem, signal: AbortSignal) => Promise<Stored>;

export interface OutboxOptions {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;
  name: string; // one per agent; each item has a key of its own, so that two tabs do not get in each other's way
  write: Write;
  onChange: () => void;
  onStored: (item: OutboxItem, stored: Stored) => void;
  newId?: () => string;
}

function parseItem(text: string | null): OutboxItem | null {
  try {
    return JSON.parse(text ?? 'null') as OutboxItem | null;
  } catch {
    return null; // nothing of ours
  }
}

export class Outbox {
  readonly #options: OutboxOptions;
  #items: OutboxItem[];
  readonly #running = new Map<string, AbortController>(); // conversation -> its sender
  readonly #naps = new Set<AbortController>();
  isDurable = true; // false: the storage refused, and a reload would lose what is written

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#items = this.#load();
  }

  get items(): readonly OutboxItem[] {
    return this.#items;
  }

  of(conversation: string): OutboxItem[] {
    return this.#items.filter((item) => item.conversation === conversation);
  }

  add(conversation: string, letter: Letter): OutboxItem {
    const clientId = (this.#options.newId ?? (() => crypto.randomUUID()))();
    const item: OutboxItem = { ...letter, clientId, conversation, writtenAt: Date.now() };
    this.#update([...this.#items, item]);
    this.#send(conversation);
    return item;
  }

  // A refused item, again: with ifSeen, having looked at what came in between; with null, in any case.
  retry(clientId: string, ifSeen?: number | null): void {
    const item = this.#items.find((one) => one.clientId === clientId);
    if (!item) return;
    const { failure: _, if_seen, ...rest } = item;
    const seen = ifSeen === undefined ? if_seen : ifSeen;
    const again: OutboxItem = typeof seen === 'number' ? { ...rest, if_seen: seen } : rest;
    this.#update(this.#items.map((one) => (one.clientId === clientId ? again : one)));
    this.#send(item.conversation);
  }

  // Only what was refused can be taken back: anything else may be stored already.
  drop(clientId: string): OutboxItem | undefined {
    const item = this.#items.find((one) => one.clientId === clientId && one.failure);
    if (item) {
      this.#update(this.#items.filter((one) => one !== item));
      this.#send(item.conversation);
    }
    return item;
  }

  // The feed or a page of the transcript shows it: it is stored, whatever its answer was.
  confirm(clientIds: ReadonlySet<string>): void {
    const left = this.#items.filter((item) => !clientIds.has(item.clientId));
    if (left.length !== this.#items.length) this.#update(left);
  }

  // Sends what is there; cuts waiting short, for when the gateway is back.
  flush(): void {
    for (const nap of this.#naps) nap.abort();
    for (const conversation of new Set(this.#items.map((item) => item.conversation))) this.#send(conversation);
  }

  stop(): void {
    for (const controller of this.#running.values()) controller.abort();
    for (const nap of this.#naps) nap.abort();
  }

  #send(conversation: string): void {
    if (this.#running.has(conversation)) return;
    const controller = new AbortController();
    this.#running.set(conversation, controller);
    void this.#sendAll(conversation, controller.signal).finally(() => {
      this.#running.delete(conversation);
      if (!controller.signal.aborted && this.#next(conversation)) this.#send(conversation);
    });
  }

  #next(conversation: string): OutboxItem | undefined {
    const [first] = this.of(conversation);
    return first?.failure ? undefined : first;
  }

  async #sendAll(conversation: string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (let item = this.#next(conversation); item && !signal.aborted; item = this.#next(conversation)) {
      const { clientId } = item;
      try {
        const stored = await this.#options.write(item, signal);
        failures = 0;
        this.#update(this.#items.filter((one) => one.clientId !== clientId));
        this.#options.onStored(item, stored);
      } catch (error) {
        if (signal.aborted) return;
        if (isProblem(error) && !error.retryable && error.status !== 401) this.#refuse(clientId, error);
        else await this.#rest(delayOf(failures++, isProblem(error) ? error.retryMs : 0));
      }
    }
  }

  async #rest(ms: number): Promise<void> {
    const nap = new AbortController();
    this.#naps.add(nap);
    await pause(ms, nap.signal);
    this.#naps.delete(nap);
  }

  #refuse(clientId: string, error: unknown): void {
    const document = isProblem(error) ? error.document : undefined;
    const failure = {
      code: document?.code ?? 'unknown',
      words: wordsOf(error),
      ...(document?.missed ? { missed: document.missed } : {}),
      ...(document?.head === undefined ? {} : { head: document.head }),
    };
    this.#update(this.#items.map((item) => (item.clientId === clientId ? { ...item, failure } : item)));
  }

  #keyOf({ clientId }: OutboxItem): string {
    return `${this.#options.name}.${clientId}`;
  }

  #load(): OutboxItem[] {
    const { storage, name } = this.#options;
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
    return keys
      .filter((key) => key.startsWith(`${name}.`))
      .map((key) => parseItem(storage.getItem(key)))
      .filter((item) => item !== null)
      .sort((a, b) => a.writtenAt - b.writtenAt);
  }

  // Writes what has changed: items are never changed in place.
  #update(items: OutboxItem[]): void {
    const { storage } = this.#options;
    const before = this.#items;
    this.#items = items;
    try {
      for (const item of before) if (!items.some(({ clientId }) => clientId === item.clientId)) storage.removeItem(this.#keyOf(item));
      for (const item of items) if (!before.includes(item)) storage.setItem(this.#keyOf(item), JSON.stringify(item));
      this.isDurable = true;
    } catch {
      this.isDurable = false;
    }
    this.#options.onChange();
  }
}
