// Frames over a WebSocket. Of several gateways the first to accept the handshake is told hello.
import { Timers } from './clock.js';
import { fitting, type Frame } from './frames.js';
import type { Line } from './line.js';
import { type Link, POKE_MS, PROVE_MS } from './link.js';
import type { WebSocketLike } from './types.js';

const STAGGER_MS = 300; // between the starts of a race

export const webSocketUrl = (url: string): string => url.replace(/^http/, 'ws') + '/v1/ws';

const enum Timer {
  Silence,
  Race,
}

export class SocketLink implements Link {
  _kind = 'websocket' as const;
  _isProven?: boolean;
  private _isOver?: boolean;
  private _socket: WebSocketLike | undefined;
  private _racers: WebSocketLike[] = [];
  private _timers: Timers;
  private _pingMs = 0;
  private _bye: Frame | undefined;

  // urls: best first.
  constructor(private _line: Line, private _urls: readonly string[]) {
    this._timers = new Timers(_line._set._clock);
  }

  _open(): void {
    this._watch(PROVE_MS);
    this._race(0);
  }

  private _race(index: number): void {
    const { _line: line, _urls: urls, _timers: timers } = this;
    const url = urls[index];
    if (this._isOver || this._socket || !url) return;
    const next = (): void => this._race(index + 1);
    let socket: WebSocketLike;
    try {
      socket = new line._set._WebSocket!(webSocketUrl(url), 'holdline.v1');
    } catch (error) {
      next(); // of the last one the watch will tell
      return;
    }
    this._racers.push(socket);
    socket.onopen = () => {
      if (this._socket) return;
      this._socket = socket;
      line._reached(url);
      for (const other of this._racers) if (other !== socket) quit(other);
      this._send([line._user._hello()]);
    };
    socket.onmessage = (event) => this._receive(event.data);
    socket.onerror = () => {}; // its end follows
    socket.onclose = (event) => {
      this._racers = this._racers.filter((other) => other !== socket);
      if (this._socket === socket || (!this._racers.length && !urls[index + 1])) this._end(event.code);
      else if (!this._racers.length) next();
    };
    timers._set(Timer.Race, STAGGER_MS, next);
  }

  private _receive(data: string): void {
    const { _line: line } = this;
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      this._end(); // somebody in between speaks
      return;
    }
    for (const frame of Array.isArray(message) ? message : [message]) {
      if (this._isOver) return;
      if (frame.t === 'bye') this._bye = frame;
      line._receive(frame);
      if (frame.t === 'welcome') {
        this._pingMs = frame.ping_ms;
        this._send([{ t: 'ping', ts: 'prove' }]);
      } else if (frame.t === 'pong' && this._pingMs && !this._isProven) {
        this._isProven = true;
        line._proven(this);
      }
    }
    if (this._isProven && !this._isOver) this._watch(this._pingMs + line._set._pingGrace);
  }

  // Gives the link up if nothing comes for so long.
  private _watch(ms: number): void {
    this._timers._set(Timer.Silence, ms, () => this._end());
  }

  _poke(): void {
    this._send([{ t: 'ping', ts: 'poke' }]);
    this._watch(POKE_MS);
  }

  _send(frames: Frame[]): void {
    const { _socket: socket } = this;
    if (!socket || socket.readyState !== 1) return;
    for (let rest = frames; rest.length; ) {
      const batch = fitting(rest);
      rest = rest.slice(batch.length);
      socket.send(JSON.stringify(batch));
    }
  }

  private _end(code?: number): void {
    this._close();
    this._line._ended(this, { _code: code, _bye: this._bye });
  }

  _close(): void {
    this._isOver = true;
    this._timers._clear();
    this._racers.forEach(quit);
  }
}

// Ends it; nothing is heard of it any more.
export function quit(socket: WebSocketLike): void {
  const nothing = (): void => {};
  socket.onopen = socket.onmessage = socket.onclose = socket.onerror = nothing;
  socket.close();
}
