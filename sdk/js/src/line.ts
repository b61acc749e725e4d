// Keeps a link: which transport, which gateway, when to try again. docs/protocol.md, "Writing a
// client".
import { Timers } from './clock.js';
import { HoldlineError } from './error.js';
import type { Frame } from './frames.js';
import { postJson } from './http.js';
import { type End, type Link, PROVE_MS } from './link.js';
import { PollLink } from './poll.js';
import { quit, SocketLink, webSocketUrl } from './socket.js';
import type { Settings } from './settings.js';
import type { TransportName, WebSocketLike } from './types.js';

const BACKOFF_LEAST_MS = 100;
const HEALTHY_MS = 10000; // a link that lasted so long starts the backoff anew
const REPROBE_MS = 300000;
const TAKEN_OVER_MAX = 3; // more often: somebody else wants it, too
const FAILURES_NEW = 2; // WebSockets that may fail before long-poll is taken …
const FAILURES_KNOWN = 4; // … and if it is known to work here

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

export const enum LineState {
  Idle,
  Opening,
  Waiting,
  Live,
}

const enum Timer {
  Healthy,
  Retry,
  Drain,
  Reprobe,
  Probe,
}

type Retry = 'never' | 'later' | 'now';

// Of a close code or a problem.
function retryOf({ _code: code = 0, _bye: bye, _error: error }: End): Retry {
  if (bye && bye.class) return bye.class;
  if (code >= 4000 && code < 4100) return 'never';
  if (code >= 4200 && code < 4300) return 'now';
  return error && !error.retryable ? 'never' : 'later';
}

export class Line {
  _state = LineState.Idle as LineState;
  _resets = 0; // how often all was forgotten: answers to polls from before are of no use
  _link?: Link;
  private _timers: Timers;
  private _failures = 0; // of WebSockets in a row
  private _attempts = 0; // for the backoff
  private _takenOver = 0; // how often, lately
  private _probe: WebSocketLike | undefined;

  constructor(public _set: Settings, public _user: LineUser) {
    this._timers = new Timers(_set._clock);
  }

  get _transport(): TransportName | null {
    return this._state === LineState.Live ? this._link!._kind : null;
  }

  get _url(): string {
    return this._set._urls[0];
  }

  _open(): void {
    this._drop();
    this._link = this._pick() === 'websocket' ? new SocketLink(this, [...this._set._urls]) : new PollLink(this);
    this._move(LineState.Opening);
    this._link._open();
  }

  // This gateway is the one to use from now on.
  _reached(url: string): void {
    while (this._url !== url) this._rotate();
  }

  private _rotate(): void {
    this._set._urls.push(this._set._urls.shift()!);
  }

  // No link is wanted any more.
  _close(): void {
    this._drop();
    this._attempts = 0;
    this._move(LineState.Idle);
  }

  private _drop(): void {
    if (this._link) this._link._close();
    this._link = undefined;
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
    if (this._state === LineState.Waiting) this._open();
    else if (this._state === LineState.Live) this._poke();
  }

  _poke(): void {
    if (this._state === LineState.Live) this._link!._poke();
  }

  // What a page that goes wants to say; nobody will hear the answer.
  _lastWords(): void {
    const { _set: set, _user: user } = this;
    const body = { rid: user._nextRid(), wait_ms: 0, ...user._pollBody([user._hello()], true) };
    set._fetch(`${this._url}/v1/poll`, { ...postJson(body), credentials: 'omit', keepalive: true }).catch(() => {});
  }

  private _move(state: LineState): void {
    this._state = state;
    this._user._lineChanged();
  }

  // -- for links --------------------------------------------------------------------------------

  _receive(frame: Frame): void {
    if (frame.t === 'drain') this._drain(frame.window_ms);
    else this._user._receive(frame);
  }

  _proven(link: Link): void {
    this._timers._set(Timer.Healthy, HEALTHY_MS, () => (this._attempts = this._takenOver = 0));
    if (link._kind === 'websocket') {
      this._failures = 0;
      this._user._noteWebSocket();
    } else this._reprobeLater();
    this._move(LineState.Live);
  }

  _ended(link: Link, end: End): void {
    if (link !== this._link) return;
    const { _bye: bye, _error: error } = end;
    if (!link._isProven) this._countFailure(link);
    const retry = retryOf(end);
    const problem = bye && bye.problem ? new HoldlineError(bye.problem.code, bye.problem) : error;
    this._drop();
    // Our own last words, as a page that goes, may have replaced us: come back, but do not insist.
    const isAgain = problem && problem.code === 'replaced' && this._takenOver++ < TAKEN_OVER_MAX;
    if (retry === 'never' && problem && !isAgain) {
      this._move(LineState.Idle);
      if (this._user._hopeless(problem)) this._open();
      return;
    }
    if (!link._isProven || retry === 'later') this._rotate();
    const span = Math.min(this._set._backoffMost, this._set._backoffFirst * 2 ** this._attempts);
    const advised = (bye && bye.retry_ms) || (problem && problem.retryMs) || 0;
    const wait = retry === 'now' && !this._attempts ? 0 : Math.max(BACKOFF_LEAST_MS, advised + this._set._random() * span);
    this._attempts += 1;
    this._openIn(wait);
  }

  private _countFailure(link: Link): void {
    if (link._kind === 'websocket') this._failures += 1;
    else if (this._attempts % 3 === 2) this._failures = Math.max(0, this._failures - 1); // perhaps it was the gateway
  }

  private _openIn(ms: number): void {
    this._timers._set(Timer.Retry, ms, () => this._open());
    this._move(LineState.Waiting);
  }

  // At a random moment of the window; without polling before.
  private _drain(windowMs: number): void {
    const wait = this._set._random() * windowMs;
    if (this._link!._kind === 'longpoll') {
      this._drop();
      this._openIn(wait);
    } else this._timers._set(Timer.Drain, wait, () => this._open());
  }

  // While polling: does a WebSocket work by now? Its first answer, which is an error, says so, and
  // the session is not touched.
  private _reprobeLater(): void {
    const { _WebSocket, _transports: transports } = this._set;
    if (!_WebSocket || !transports[1]) return;
    this._timers._set(Timer.Reprobe, REPROBE_MS, () => {
      const probe = (this._probe = new _WebSocket(webSocketUrl(this._url), 'holdline.v1'));
      const isOver = (): void => {
        quit(probe);
        this._reprobeLater();
      };
      probe.onopen = () => probe.send('{"t":"ping"}');
      probe.onclose = probe.onerror = isOver;
      probe.onmessage = () => {
        this._failures = 0;
        this._open();
      };
      this._timers._set(Timer.Probe, PROVE_MS, isOver);
    });
  }
}
