// Enquiries without a chat. Each has its key before the first try, and keeps it over reloads, so
// that it stands there once however often it is sent.
import { HoldlineError } from './error.js';
import { call, postJson } from './http.js';
import { randomId } from './ids.js';
import type { Settings } from './settings.js';
import type { Store } from './store.js';
import type { Enquiry } from './types.js';

const ANSWER_MS = 20000;
const KEEPALIVE_CHARS = 20000; // that surely are less than 64 KB

export class Enquiries {
  private _going: Record<string, Promise<Enquiry>> = {}; // by body
  private _isOver?: boolean;

  constructor(private _set: Settings, private _store: Store, private _done: (enquiry: Enquiry) => void) {}

  // Key by body.
  private _keep(change: (all: Record<string, string>) => void): void {
    const all = this._store._read('enquiries') || {};
    change(all);
    this._store._write('enquiries', Object.keys(all).length ? all : null);
  }

  // What an earlier page could not deliver.
  _resume(): void {
    for (const body of Object.keys(this._store._read('enquiries') || {})) this._leave(body).catch(() => {});
  }

  _leave(body: string): Promise<Enquiry> {
    return this._going[body] || (this._going[body] = this._send(body));
  }

  private async _send(body: string): Promise<Enquiry> {
    const { _set: set } = this;
    const { _urls: urls } = set;
    let key = randomId();
    this._keep((all) => (key = all[body] = all[body] || key));
    try {
      for (let n = 0; !this._isOver; n += 1) {
        try {
          const init = { ...postJson(0, { 'idempotency-key': key, accept: 'application/json' }), body, keepalive: body.length < KEEPALIVE_CHARS };
          const answer = await call(set, `${urls[n % urls.length]}/v1/enquiries`, init, ANSWER_MS);
          const enquiry = { ...answer, id: answer.conversation };
          this._keep((all) => delete all[body]);
          this._done(enquiry);
          return enquiry;
        } catch (error) {
          const { retryable, retryMs } = error as HoldlineError;
          if (!retryable) {
            this._keep((all) => delete all[body]);
            throw error;
          }
          const wait = retryMs! + set._random() * Math.min(set._backoffMost, set._backoffFirst * 2 ** n);
          await new Promise<void>((resolve) => set._clock.setTimeout(resolve, wait));
        }
      }
    } finally {
      delete this._going[body];
    }
    throw new HoldlineError('closed', { retryable: true }); // it is kept, and sent by the next page
  }

  _stop(): void {
    this._isOver = true;
  }
}
