// Frames in the bodies of long-polls. A poll that waits is displaced by the next, which carries
// what is new; nothing is lost with a request or an answer that is.
import { Timers } from './clock.js';
import { HoldlineError } from './error.js';
import type { Frame } from './frames.js';
import { call, postJson } from './http.js';
import type { Line } from './line.js';
import { type End, type Link, POKE_MS } from './link.js';

const WAIT_MS = 25000;
const SUPERSEDED_MS = 1000; // at most; random
const PACE_MS = 20; // between two polls

const enum Timer {
  Silence,
  Poll,
}

export class PollLink implements Link {
  _kind = 'longpoll' as const;
  _isProven?: boolean;
  private _isOver?: boolean;
  private _gen = 0;
  private _newest = 0; // rid
  private _isBusy?: boolean; // the newest will be answered soon: what is new waits for it
  private _sentAt = 0;
  private _queue: Frame[] = [];
  private _request = new AbortController();
  private _timers: Timers;

  constructor(private _line: Line) {
    this._timers = new Timers(_line._set._clock);
  }

  _open(): void {
    this._poll([this._line._user._hello()]);
  }

  _send(frames: Frame[]): void {
    this._queue.push(...frames);
    if (this._gen && !this._isBusy) this._soon();
  }

  // The next poll, with what is new by then.
  private _soon(wait = this._sentAt + PACE_MS - this._line._set._clock.now()): void {
    this._timers._set(Timer.Poll, Math.max(0, wait), () => this._poll(this._queue.splice(0)));
  }

  private async _poll(frames: Frame[]): Promise<void> {
    const { _line: line, _gen: gen } = this;
    const { _resets: resets } = line;
    const { _set: set, _user: user } = line;
    const body: any = { rid: user._nextRid(), wait_ms: WAIT_MS, gen: gen || undefined, ...user._pollBody(frames, !!gen) };
    const { rid } = body;
    this._newest = rid;
    const isNewest = (): boolean => rid === this._newest;
    this._sentAt = set._clock.now();
    this._isBusy = body.frames.some(({ t }: Frame) => /hello|pub|hist|ping/.test(t));
    try {
      const answer = await call(set, `${line._url}/v1/poll`, postJson(body), WAIT_MS + set._pingGrace, this._request).catch((error) => {
        // By an attachment of ours.
        if (error.code === 'replaced' && this._gen !== gen) return { rid, superseded: true, frames: [] };
        throw error;
      });
      if (answer.rid !== rid || !answer.frames) throw new HoldlineError('network', { retryable: true });
      if (this._isOver) return;
      this._timers._stop(Timer.Silence);
      // It speaks of what is forgotten now; or it was displaced.
      if (line._resets === resets && !answer.superseded) this._take(answer);
      else if (isNewest()) this._queue.unshift(...frames);
      // Displaced, and not by a newer one of ours. Either we were attached anew by an earlier poll,
      // whose answer tells; or somebody else was, and the next poll will be refused.
      if (isNewest() && !this._isOver) this._soon(answer.superseded && this._gen === gen ? set._random() * SUPERSEDED_MS : undefined);
    } catch (error) {
      if (!this._isOver && (isNewest() || (error as HoldlineError).code !== 'network')) this._end({ _error: error as HoldlineError });
    }
  }

  private _take(answer: any): void {
    // What waited for it goes at once.
    if (this._gen !== answer.gen && this._timers._has(Timer.Poll)) this._soon();
    this._gen = answer.gen;
    for (const frame of answer.frames) {
      if (this._isOver) return;
      this._line._receive(frame);
      if (frame.t === 'bye') this._end({ _code: frame.code, _bye: frame });
    }
    if (this._isProven || this._isOver) return;
    this._isProven = true;
    this._line._proven(this);
  }

  _poke(): void {
    this._send([{ t: 'ping', ts: 'poke' }]);
    this._timers._set(Timer.Silence, POKE_MS, () => this._end({}));
  }

  private _end(end: End): void {
    this._close();
    this._line._ended(this, end);
  }

  _close(): void {
    this._isOver = true;
    this._timers._clear();
    this._request.abort();
  }
}
