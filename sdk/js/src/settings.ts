// What the application asked for, with the defaults filled in.
import { realClock } from './clock.js';
import { HoldlineError } from './error.js';
import type { Clock, FetchLike, Options, TransportName, WebSocketMaker } from './types.js';

export interface Settings {
  _urls: string[];
  _fetch: FetchLike;
  _clock: Clock;
  _WebSocket: WebSocketMaker | undefined;
  _random: () => number;
  _pingGrace: number;
  _ackTimeout: number;
  _transports: readonly TransportName[];
  _backoffFirst: number;
  _backoffMost: number;
}

export function settingsOf(options: Options): Settings {
  const { url = globalThis.location && location.origin, fetch = globalThis.fetch, random = Math.random } = options;
  const urls = (typeof url === 'string' ? [url] : [...(url || [])]).map((one) => one.replace(/\/+$/, ''));
  if (!urls.length) throw new HoldlineError('bad_option', { detail: 'url is missing' });
  return {
    _urls: urls.sort(() => random() - 0.5),
    _fetch: (to, init) => fetch(to, init),
    _clock: options.clock || realClock,
    _WebSocket: options.WebSocket || (globalThis.WebSocket as any),
    _random: random,
    _pingGrace: options.pingGrace || 10000,
    _ackTimeout: options.ackTimeout || 5000,
    _transports: options.transports || ['websocket', 'longpoll'],
    _backoffFirst: options.minReconnectDelay || 500,
    _backoffMost: options.maxReconnectDelay || 20000,
  };
}
