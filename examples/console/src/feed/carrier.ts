// One connection of the feed, whatever carries it. run() resolves never: it ends by throwing.
import type { FeedEvent, Presence } from '../api/types';

export type CarrierName = 'websocket' | 'stream' | 'poll';

export interface Receiver {
  onOpen(): void; // the first sign of life
  onEvents(events: FeedEvent[], nextCursor: string): void;
  onPresence(presence: Presence): void;
}

export interface Carrier {
  readonly name: CarrierName;
  run(cursor: string, receiver: Receiver, signal: AbortSignal): Promise<never>;
}

// The connection ended. isBarred: it never showed a sign of life, so something may stand in its way.
export class Ended extends Error {
  readonly isBarred: boolean;

  constructor(message: string, { isBarred = false } = {}) {
    super(message);
    this.name = 'Ended';
    this.isBarred = isBarred;
  }
}
