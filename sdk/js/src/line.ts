// Keeps a link: which transport, which gateway, when to try again. docs/protocol.md, "Writing a
// client".
import { Timers } from './clock.js';
import type { HoldlineError } from './error.js';
import { type Frame, toError } from './frames.js';
import { type Caller, postJson } from './http.js';
import { type End, type Link, type Owner, PROVE_MS } from './link.js';
import { PollLink } from './poll.js';
import { quit, SocketLink, webSocketUrl } from './socket.js';
import type { Clock, FetchLike, TransportName, WebSocketLike, WebSocketMaker } from './types.js';

const BACKOFF_LEAST_MS = 100;
const HEALTHY_MS = 10000; // a link that lasted so long starts the backoff anew
const REPROBE_MS = 300000;
const TAKEN_OVER_MS = 60000; // being replaced more than …
const TAKEN_OVER_MAX = 3; // … so often within: somebody else wants it, too
const FAILURES_NEW = 2; // WebSockets that may fail before long-poll is taken …
const FAILURES_KNOWN = 4; // … and if it is known to work here

export interface LineSettings extends Caller {
  _WebSocket: WebSocketMaker | undefined;
  _random: () => number;
  _pingGrace: number;
  _urls: string[];
  _transports: readonly TransportName[];
  _backoffFirst: number;
  _backoffMost: number;
}

// Who uses a line.
export interface LineUser {
  _hello(): Frame;
  _pollBody(frames: Frame[], isAttached: boolean): Record<string, unknown>;
  _nextRid(): number;
  _receive(frame: Frame): void;
  _webSocketWorked(): boolean; // lately, here
  _noteWebSocket(): void;
  _lineChanged(): void;
  // Trying again by itself would not help: true if the user has done something about it.
  _hopeless(error: HoldlineError): boolean;
}

export type LineState = 'idle' | 'opening' | 'waiting' | 'live';

type Retry = 'never' | 'later' | 'now';

// Of a close code or a problem.
function retryOf({ _code: code = 0, _bye: bye, _error: error }: End): Retry {
  if (bye && bye.class) return bye.class;
  if (code >= 4000 && code < 4100) return 'never';
  if (code >= 4200 && code < 4300) return 'now';
  return error && !error.retryable ? 'never' : 'later';
}

export class Line implements Owner {
  _state: LineState = 'idle';
  _retryIn: number | null = null;
  _resets = 0;
  _link: Link | null = null;
  _fetch: FetchLike;
  _clock: Clock;
  _WebSocket: WebSocketMaker | undefined;
  _random: () => number;
  _pingGrace: number;
  private _timers: Timers;
  private _at = 0; // of the urls
  private _failures = 0; // of WebSockets in a row
  private _attempts = 0; // for the backoff
  private _takenOver: number[] = []; // when
  private _probe: WebSocketLike | undefined;

  constructor(private _set: LineSettings, private _user: LineUser) {
    this._fetch = _set._fetch;
    this._clock = _set._clock;
    this._WebSocket = _set._WebSocket;
    this._random = _set._random;
    this._pingGrace = _set._pingGrace;
    this._timers = new Timers(_set._clock);
  }

  get _transport(): TransportName | null {
    return this._state === 'live' ? this._link!._kind : null;
  }

  get _url(): string {
    const { _urls: urls } = this._set;
    return urls[this._at % urls.length];
  }

  _open(): void {
    this._drop();
    const urls = this._set._urls;
    const from = this._at % urls.length;
    this._link = this._pick() === 'websocket'
      ? new SocketLink(this, [...urls.slice(from), ...urls.slice(0, from)], (url) => (this._at = urls.indexOf(url)))
      : new PollLink(this, this._url);
    this._move('opening');
    this._link._open();
  }

  // No link is wanted any more.
  _close(): void {
    this._drop();
    this._attempts = 0;
    this._move('idle');
  }

  private _drop(): void {
    if (this._link) this._link._close();
    this._link = null;
    this._retryIn = null;
    if (this._probe) quit(this._probe);
    this._timers._clear();
  }

  private _pick(): TransportName {
    const { _transports: [first, second], _WebSocket } = this._set;
    if (!_WebSocket) return 'longpoll';
    if (!second) return first;
    return this._failures < (this._user._webSocketWorked() ? FAILURES_KNOWN : FAILURES_NEW) ? 'websocket' : 'longpoll';
  }

  _send(frames: Frame[]): void {
    if (this._link && frames.length) this._link._send(frames);
  }

  // Timers lie after a sleep, and the network may have changed.
  _wake(): void {
    if (this._state === 'waiting') this._open();
    else if (this._state === 'live') this._poke();
  }

  _poke(): void {
    if (this._state === 'live') this._link!._poke();
  }

  // What a page that goes wants to say; nobody will hear the answer.
  _lastWords(): void {
    const { _link: link } = this;
    const body = link && link._kind === 'longpoll' && link._isProven
      ? (link as PollLink)._body([], 0)
      : { rid: this._nextRid(), wait_ms: 0, ...this._pollBody([this._hello()], true) };
    this._fetch(`${this._url}/v1/poll`, { ...postJson(body), credentials: 'omit', keepalive: true }).catch(() => {});
  }

  private _move(state: LineState): void {
    this._state = state;
    this._user._lineChanged();
  }

  // -- for links --------------------------------------------------------------------------------

  _hello(): Frame {
    return this._user._hello();
  }

  _pollBody(frames: Frame[], isAttached: boolean): Record<string, unknown> {
    return this._user._pollBody(frames, isAttached);
  }

  _nextRid(): number {
    return this._user._nextRid();
  }

  _receive(frame: Frame): void {
    if (frame.t === 'drain') this._drain(frame.window_ms);
    else this._user._receive(frame);
  }

  _proven(link: Link): void {
    this._timers._set('healthy', HEALTHY_MS, () => (this._attempts = 0));
    if (link._kind === 'websocket') {
      this._failures = 0;
      this._user._noteWebSocket();
    } else this._reprobeLater();
    this._move('live');
  }

  _ended(link: Link, end: End): void {
    if (link !== this._link) return;
    const { _bye: bye, _error: error } = end;
    if (!link._isProven) this._countFailure(link);
    const retry = retryOf(end);
    const problem = bye && bye.problem ? toError(bye.problem) : error;
    this._drop();
    if (retry === 'never' && problem && !this._comesBack(problem)) {
      this._move('idle');
      if (this._user._hopeless(problem)) this._open();
      return;
    }
    if (!link._isProven || retry === 'later') this._at += 1;
    const span = Math.min(this._set._backoffMost, this._set._backoffFirst * 2 ** this._attempts);
    const advised = (bye && bye.retry_ms) || (problem && problem.retryMs) || 0;
    const wait = retry === 'now' && !this._attempts ? 0 : Math.max(BACKOFF_LEAST_MS, advised + this._random() * span);
    this._attempts += 1;
    this._openIn(wait);
  }

  private _countFailure(link: Link): void {
    if (link._kind === 'websocket') this._failures += 1;
    else if (this._attempts % 3 === 2) this._failures = Math.max(0, this._failures - 1); // perhaps it was the gateway
  }

  // Our own last words, as a page that goes, may have replaced us: come back, but do not insist.
  private _comesBack(error: HoldlineError): boolean {
    if (error.code !== 'replaced') return false;
    const now = this._clock.now();
    this._takenOver = this._takenOver.filter((at) => now - at < TAKEN_OVER_MS);
    return this._takenOver.push(now) <= TAKEN_OVER_MAX;
  }

  private _openIn(ms: number): void {
    this._retryIn = Math.round(ms);
    this._timers._set('retry', ms, () => this._open());
    this._move('waiting');
  }

  // At a random moment of the window; without polling before.
  private _drain(windowMs: number): void {
    const wait = this._random() * windowMs;
    if (this._link!._kind === 'longpoll') {
      this._drop();
      this._openIn(wait);
    } else if (!this._timers._has('drain')) this._timers._set('drain', wait, () => this._open());
  }

  // While polling: does a WebSocket work by now? Its first answer, which is an error, says so, and
  // the session is not touched.
  private _reprobeLater(): void {
    const { _WebSocket, _set: { _transports: transports } } = this;
    if (!_WebSocket || transports.length < 2) return;
    this._timers._set('reprobe', REPROBE_MS, () => {
      const probe = (this._probe = new _WebSocket(webSocketUrl(this._url), 'holdline.v1'));
      const isOver = (): void => {
        quit(probe);
        this._reprobeLater();
      };
      probe.onopen = () => probe.send('{"t":"ping"}');
      probe.onclose = isOver;
      probe.onmessage = () => {
        this._failures = 0;
        this._open();
      };
      this._timers._set('probe', PROVE_MS, isOver);
    });
  }
}
