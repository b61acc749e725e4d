// Frames in the bodies of long-polls. A poll that waits is displaced by the next, which carries
// what is new; nothing is lost with a request or an answer that is.
import { HoldlineError } from './error.js';
import type { Frame } from './frames.js';
import { call, postJson } from './http.js';
import { type End, type Link, type Owner, POKE_MS } from './link.js';

const WAIT_MS = 25000;
const SUPERSEDED_MS = 1000; // at most; random
const ANSWERED = ['hello', 'pub', 'hist', 'ping'];
const PACE_MS = 20; // between two of them
const IN_FLIGHT_MAX = 3;

export class PollLink implements Link {
  _kind = 'longpoll' as const;
  _isProven = false;
  private _isOver = false;
  private _gen = 0;
  private _newest = 0; // rid
  private _queue: Frame[] = [];
  private _last = 0; // when it was sent
  private _isScheduled = false;
  private _isBusy = false; // the newest will be answered soon: what is new waits for it
  private _requests: AbortController[] = [];
  private _silence: unknown;
  private _onGeneration: (() => void) | undefined;

  constructor(private _owner: Owner, private _url: string) {}

  _open(): void {
    this._poll([this._owner._hello()]);
  }

  _send(frames: Frame[]): void {
    this._queue.push(...frames);
    if (this._gen && !this._isBusy) this._soon();
  }

  // The next poll, with what is new by then.
  private _soon(): void {
    if (this._isScheduled) return;
    this._isScheduled = true;
    const wait = Math.max(0, this._last + PACE_MS - this._owner._clock.now());
    this._owner._clock.setTimeout(() => {
      this._isScheduled = false;
      if (!this._isOver) this._poll(this._queue.splice(0));
    }, wait);
  }

  // The request that says what is in the outbox, without waiting for anything: for a page that goes.
  _body(frames: Frame[], waitMs: number): Record<string, unknown> {
    const owner = this._owner;
    const body: Record<string, unknown> = { rid: owner._nextRid(), wait_ms: waitMs, ...owner._pollBody(frames, !!this._gen) };
    return this._gen ? { ...body, gen: this._gen } : body;
  }

  private async _poll(frames: Frame[]): Promise<void> {
    const owner = this._owner;
    const { _gen: gen } = this;
    const { _resets: resets } = owner;
    const body = this._body(frames, WAIT_MS);
    const rid = (this._newest = body.rid as number);
    this._last = owner._clock.now();
    this._isBusy = (body.frames as Frame[]).some(({ t }) => ANSWERED.includes(t));
    const isNewest = (): boolean => rid === this._newest && !this._isOver;
    try {
      const answer = await this._request(body);
      if (this._isOver) return;
      owner._clock.clearTimeout(this._silence);
      // It speaks of what is forgotten now; or it was displaced.
      if (owner._resets !== resets) this._queue.unshift(...frames);
      else if (!answer.superseded) this._take(answer);
      else if (isNewest()) await this._displaced(gen, frames);
      if (isNewest()) this._soon();
    } catch (error) {
      const { code } = error as HoldlineError;
      if (this._isOver) return;
      if (code === 'replaced' && this._gen !== gen) {
        this._queue.unshift(...frames); // by an attachment of ours
        if (isNewest()) this._soon();
      } else if (isNewest() || code !== 'network') this._end({ _error: error as HoldlineError });
    }
  }

  // Our newest poll was displaced, not by a newer one of ours. Either we were attached anew by an
  // earlier poll, whose answer tells; or somebody else was, and the next poll will be refused.
  private async _displaced(gen: number, frames: Frame[]): Promise<void> {
    this._queue.unshift(...frames);
    if (this._gen !== gen) return;
    await new Promise<void>((resolve) => {
      this._onGeneration = resolve;
      this._owner._clock.setTimeout(resolve, this._owner._random() * SUPERSEDED_MS);
    });
  }

  private async _request(body: Record<string, unknown>): Promise<any> {
    const request = new AbortController();
    this._requests.push(request);
    if (this._requests.length > IN_FLIGHT_MAX) this._requests.shift()!.abort();
    try {
      const answer = await call(this._owner, `${this._url}/v1/poll`, postJson(body), WAIT_MS + this._owner._pingGrace, request);
      if (answer.rid !== body.rid || !Array.isArray(answer.frames)) throw new HoldlineError('network', 'not an answer', { retryable: true });
      return answer;
    } finally {
      this._requests = this._requests.filter((other) => other !== request);
    }
  }

  private _take(answer: any): void {
    if (this._gen !== answer.gen && this._onGeneration) this._onGeneration();
    this._gen = answer.gen;
    for (const frame of answer.frames) {
      if (this._isOver) return;
      this._owner._receive(frame);
      if (frame.t === 'bye') this._end({ _code: frame.code, _bye: frame });
    }
    if (this._isProven || this._isOver) return;
    this._isProven = true;
    this._owner._proven(this);
  }

  _poke(): void {
    if (!this._gen) return;
    this._send([{ t: 'ping', ts: 'poke' }]);
    const { _clock: clock } = this._owner;
    clock.clearTimeout(this._silence);
    this._silence = clock.setTimeout(() => this._end({}), POKE_MS);
  }

  private _end(end: End): void {
    if (this._isOver) return;
    this._close();
    this._owner._ended(this, end);
  }

  _close(): void {
    this._isOver = true;
    this._owner._clock.clearTimeout(this._silence);
    for (const request of this._requests) request.abort();
  }
}
