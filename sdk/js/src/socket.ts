// Frames over a WebSocket. Of several gateways the first to accept the handshake is told hello.
import { fitting, type Frame } from './frames.js';
import { type End, type Link, type Owner, POKE_MS, PROVE_MS } from './link.js';
import type { WebSocketLike } from './types.js';

const STAGGER_MS = 300; // between the starts of a race
const OPEN = 1;

export const webSocketUrl = (url: string): string => url.replace(/^http/, 'ws') + '/v1/ws';

export class SocketLink implements Link {
  _kind = 'websocket' as const;
  _isProven = false;
  private _isOver = false;
  private _socket: WebSocketLike | undefined;
  private _racers: WebSocketLike[] = [];
  private _silence: unknown;
  private _stagger: unknown;
  private _pingMs = 0;
  private _bye: Frame | undefined;

  // urls: best first.
  constructor(private _owner: Owner, private _urls: readonly string[], private _chosen: (url: string) => void) {}

  _open(): void {
    this._watch(PROVE_MS);
    this._race(0);
  }

  private _race(index: number): void {
    const { _owner: owner, _urls: urls } = this;
    if (this._isOver || this._socket || index >= urls.length) return;
    let socket: WebSocketLike;
    try {
      socket = new owner._WebSocket!(webSocketUrl(urls[index]), 'holdline.v1');
    } catch (error) {
      owner._clock.setTimeout(() => this._end({}), 0); // never from within _open
      return;
    }
    this._racers.push(socket);
    socket.onopen = () => {
      if (this._isOver || this._socket) return;
      this._socket = socket;
      this._chosen(urls[index]);
      for (const other of this._racers) if (other !== socket) quit(other);
      this._send([owner._hello()]);
    };
    socket.onmessage = (event) => this._receive(event.data);
    socket.onerror = () => {};
    socket.onclose = (event) => {
      this._racers = this._racers.filter((other) => other !== socket);
      if (this._socket === socket || (!this._racers.length && index === urls.length - 1)) {
        this._end({ _code: event.code, _bye: this._bye });
      } else if (!this._racers.length) this._race(index + 1);
    };
    if (index < urls.length - 1) this._stagger = owner._clock.setTimeout(() => this._race(index + 1), STAGGER_MS);
  }

  private _receive(data: string): void {
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      this._end({}); // somebody in between speaks
      return;
    }
    if (this._isProven) this._watch(this._pingMs + this._owner._pingGrace);
    for (const frame of Array.isArray(message) ? message : [message]) {
      if (this._isOver) return;
      if (frame.t === 'bye') this._bye = frame;
      this._owner._receive(frame);
      if (frame.t === 'welcome') {
        this._pingMs = frame.ping_ms;
        this._send([{ t: 'ping', ts: 'prove' }]);
      } else if (frame.t === 'pong' && this._pingMs && !this._isProven && !this._isOver) {
        this._isProven = true;
        this._watch(this._pingMs + this._owner._pingGrace);
        this._owner._proven(this);
      }
    }
  }

  // Gives the link up if nothing comes for so long.
  private _watch(ms: number): void {
    const { _clock: clock } = this._owner;
    clock.clearTimeout(this._silence);
    this._silence = clock.setTimeout(() => this._end({}), ms);
  }

  _poke(): void {
    if (!this._isProven) return;
    this._send([{ t: 'ping', ts: 'poke' }]);
    this._watch(POKE_MS);
  }

  _send(frames: Frame[]): void {
    const { _socket: socket } = this;
    if (!socket || socket.readyState !== OPEN) return;
    for (let rest = frames; rest.length; ) {
      const batch = fitting(rest);
      rest = rest.slice(batch.length);
      socket.send(JSON.stringify(batch));
    }
  }

  private _end(end: End): void {
    if (this._isOver) return;
    this._close();
    this._owner._ended(this, end);
  }

  _close(): void {
    this._isOver = true;
    this._owner._clock.clearTimeout(this._silence);
    this._owner._clock.clearTimeout(this._stagger);
    this._racers.forEach(quit);
  }
}

export function quit(socket: WebSocketLike): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.onerror = () => {};
  socket.close();
}
