// Enquiries without a chat. Each has its key before the first try, and keeps it over reloads, so
// that it stands there once however often it is sent.
import { HoldlineError } from './error.js';
import { call, type Caller, postJson } from './http.js';
import { randomId } from './ids.js';
import type { Store } from './store.js';
import type { Enquiry } from './types.js';

const ANSWER_MS = 20000;
const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MOST_MS = 60000;

interface Kept {
  key: string;
  body: string;
}

export class Enquiries {
  private _going = new Map<string, Promise<Enquiry>>(); // by body
  private _isOver = false;

  constructor(private _caller: Caller & { _random: () => number }, private _urls: string[], private _store: Store, private _done: (enquiry: Enquiry) => void) {}

  private _kept(): Kept[] {
    return this._store._read('enquiries') || [];
  }

  private _keep(change: (all: Kept[]) => Kept[]): void {
    const all = change(this._kept());
    this._store._write('enquiries', all.length ? all : null);
  }

  // What an earlier page could not deliver.
  _resume(): void {
    for (const { key, body } of this._kept()) if (!this._going.has(body)) this._begin(key, body).catch(() => {});
  }

  _leave(form: unknown): Promise<Enquiry> {
    const body = JSON.stringify(form);
    const going = this._going.get(body);
    if (going) return going;
    const kept = this._kept().find((other) => other.body === body);
    const key = kept ? kept.key : randomId();
    if (!kept) this._keep((all) => [...all, { key, body }]);
    return this._begin(key, body);
  }

  private _begin(key: string, body: string): Promise<Enquiry> {
    const sent = this._send(key, body);
    const forget = (): void => {
      this._going.delete(body);
    };
    this._going.set(body, sent);
    sent.then(forget, forget);
    return sent;
  }

  private async _send(key: string, body: string): Promise<Enquiry> {
    for (let n = 0; ; n += 1) {
      if (this._isOver) throw new HoldlineError('closed', 'It is kept, and sent by the next page', { retryable: true });
      try {
        const url = `${this._urls[n % this._urls.length]}/v1/enquiries`;
        const init = { ...postJson(null, { 'idempotency-key': key, accept: 'application/json' }), body, keepalive: body.length < 20000 };
        const answer = await call(this._caller, url, init, ANSWER_MS);
        this._keep((all) => all.filter((other) => other.key !== key));
        const enquiry = {
          id: answer.conversation, reference: answer.reference, expectedBy: answer.expected_by || null,
          statusUrl: answer.status_url || null, duplicate: !!answer.duplicate,
        };
        this._done(enquiry);
        return enquiry;
      } catch (error) {
        const { retryable, retryMs } = error as HoldlineError;
        if (!retryable) {
          this._keep((all) => all.filter((other) => other.key !== key));
          throw error;
        }
        await this._pause((retryMs || 0) + this._caller._random() * Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** n));
      }
    }
  }

  private _wakes: (() => void)[] = [];

  private _pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this._caller._clock.setTimeout(resolve, ms);
      this._wakes.push(() => {
        this._caller._clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  // The network may be back.
  _wake(): void {
    for (const wake of this._wakes.splice(0)) wake();
  }

  _stop(): void {
    this._isOver = true;
    this._wake();
  }
}
