// What the two ways frames travel have in common. A link is one attachment: it says hello, then
// carries frames until it ends, once, with a reason.
import type { HoldlineError } from './error.js';
import type { Frame } from './frames.js';
import type { TransportName } from './types.js';

export const PROVE_MS = 4000; // until welcome and one round trip
export const POKE_MS = 2500; // until a sign of life, when asked for one

export interface End {
  _code?: number; // WebSocket close code
  _bye?: Frame;
  _error?: HoldlineError; // an HTTP answer, or none
}

export interface Link {
  _kind: TransportName;
  _isProven?: boolean;
  _open(): void;
  _send(frames: Frame[]): void;
  _poke(): void; // is there anybody?
  _close(): void;
}
