// Everything that happens, in the order of the log, over one cursor that outlives connections. The
// carriers are tried from the best to the plainest; one that is barred is left out for a while.
import { delayOf, pause } from '../api/backoff';
import type { Client } from '../api/client';
import { isProblem } from '../api/problem';
import type { FeedEvent, Presence } from '../api/types';
import { Ended, type Carrier, type CarrierName } from './carrier';

export type FeedState = { kind: 'connecting' | 'live' | 'waiting'; carrier: CarrierName | null; node: string };

export interface FeedListener {
  // Everything is to be loaded again; the feed goes on from a place before that.
  onResync(): Promise<void>;
  onEvents(events: FeedEvent[]): void;
  onPresence(presence: Presence): void;
  onState(state: FeedState): void;
}

const BARRED_MS = 120_000;
const QUICK_MS = 1500;

export class Feed {
  readonly #client: Client;
  readonly #carriers: readonly Carrier[];
  readonly #listener: FeedListener;
  readonly #barredUntil = new Map<CarrierName, number>();
  #cursor: string | null = null;
  #stopped = new AbortController();
  #nap: AbortController | null = null;
  #node = ''; // of the connection that is, or was

  constructor(client: Client, carriers: readonly Carrier[], listener: FeedListener) {
    this.#client = client;
    this.#carriers = carriers;
    this.#listener = listener;
  }

  // Runs until stop(), or until the session has ended.
  async run(): Promise<void> {
    const signal = this.#stopped.signal;
    for (let failures = 0; !signal.aborted; ) {
      const began = Date.now();
      let wasOpen = false;
      try {
        await this.#connect(signal, () => (wasOpen = true));
      } catch (error) {
        if (signal.aborted || (isProblem(error) && error.status === 401)) return;
        failures = wasOpen && Date.now() - began > QUICK_MS ? 0 : failures + 1;
        await this.#recover(error, failures);
      }
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.wake();
  }

  // Tries at once: the network is back, or somebody looks.
  wake(): void {
    this.#nap?.abort();
  }

  async #connect(signal: AbortSignal, onOpen: () => void): Promise<never> {
    this.#tell('connecting', null);
    if (this.#cursor === null) {
      const start = await this.#client.call<{ next_cursor: string }>('/v1/events', { signal, tries: 1 });
      await this.#listener.onResync();
      this.#cursor = start.next_cursor;
    }
    const carrier = this.#choose();
    this.#node = this.#client.nodes.current;
    return carrier.run(this.#cursor, {
      onOpen: () => {
        onOpen();
        this.#tell('live', carrier.name);
      },
      onEvents: (events, nextCursor) => {
        if (nextCursor) this.#cursor = nextCursor;
        if (events.length) this.#listener.onEvents(events);
      },
      onPresence: (presence) => this.#listener.onPresence(presence),
    }, signal);
  }

  #choose(): Carrier {
    const now = Date.now();
    const free = this.#carriers.find(({ name }) => (this.#barredUntil.get(name) ?? 0) <= now);
    const last = this.#carriers.at(-1);
    if (!free && !last) throw new Error('a feed needs a carrier');
    return (free ?? last) as Carrier;
  }

  async #recover(error: unknown, failures: number): Promise<void> {
    const isExpired = isProblem(error, 'cursor_expired');
    if (isExpired) {
      this.#cursor = null;
      this.#client.place.forget();
    }
    const isBarred = error instanceof Ended && error.isBarred;
    if (isBarred && (await this.#isReachable())) this.#barredUntil.set(this.#choose().name, Date.now() + BARRED_MS);
    else if (!isProblem(error) || error.code === 'draining') this.#client.nodes.fail(this.#node); // unless somebody has left it already
    this.#tell('waiting', null);
    const delay = isProblem(error) ? error.retryMs : 0;
    this.#nap = new AbortController();
    if (!isBarred || failures > this.#carriers.length) await pause(delayOf(failures, delay), this.#nap.signal);
    this.#nap = null;
  }

  // Whether the gateway answers plainly, so that only this carrier does not get through.
  async #isReachable(): Promise<boolean> {
    try {
      await this.#client.call('/v1/events', { tries: 1, timeoutMs: 5000 });
      return true;
    } catch (error) {
      return isProblem(error) && error.status > 0 && error.status < 500;
    }
  }

  #tell(kind: FeedState['kind'], carrier: CarrierName | null): void {
    this.#listener.onState({ kind, carrier, node: this.#client.nodes.current });
  }
}
