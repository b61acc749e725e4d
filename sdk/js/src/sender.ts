// Says things: each is kept, then sent, then sent again until it is confirmed or refused for
// good. The order of saying is the order in the transcript.
import type { Chat } from './chat.js';
import { Timers } from './clock.js';
import { HoldlineError } from './error.js';
import { cleanBody, fitting, type Frame, toMessage } from './frames.js';
import { randomId } from './ids.js';
import { LineState } from './line.js';
import { type Item, Pending } from './outbox.js';
import type { Store } from './store.js';
import { Word } from './tabs.js';
import type { Message, SendOptions } from './types.js';

const EXPIRED_MS = 7 * 86400000;
const RESEND_MS = 1000;
const WANTED_MS = 100;
const BODY_MAX = 16384;

const enum Timer {
  Unconfirmed,
  Resend,
}

export class Sender {
  _list: Pending[] = [];
  _bodyMax = BODY_MAX;
  private _timers: Timers;
  private _isAttached?: boolean;
  private _nextSeq = 1;
  private _n = 0;
  private _silent = 0; // how often no confirmation came in time

  constructor(private _chat: Chat, private _store: Store) {
    this._timers = new Timers(_chat._set._clock);
  }

  // What was left behind, by this tab or another.
  async _load(): Promise<void> {
    for (const item of await this._store._all()) {
      if (this._find(item.mid)) continue;
      const pending = this._add(item);
      pending.durable = true;
      pending._isKept = true;
      if (!item.failed && this._chat._set._clock.wall() - item.at > EXPIRED_MS) {
        this._fail(pending, new HoldlineError('outbox_expired', { retryable: true }));
      }
    }
    this._list.sort((a, b) => a._item.n - b._item.n);
  }

  private _add(item: Item): Pending {
    const pending = new Pending(item, this._chat);
    this._n = Math.max(this._n, item.n);
    this._list.push(pending);
    return pending;
  }

  _find(mid: string): Pending | undefined {
    return this._list.find((pending) => pending.clientId === mid);
  }

  get _unconfirmed(): Pending[] {
    return this._list.filter((pending) => pending.state !== 'failed');
  }

  _say(said: string | Record<string, unknown>, { clientId = randomId(), kind = 'message' }: SendOptions = {}): Pending {
    const known = this._find(clientId);
    if (known) return known;
    const body = cleanBody(typeof said === 'string' ? { text: said } : said);
    const at = this._chat._set._clock.wall();
    const pending = this._add({ mid: clientId, n: Math.max(this._n + 1, at), at, kind, body });
    this._chat._changed(pending);
    if (JSON.stringify(body).length > this._bodyMax) {
      this._fail(pending, new HoldlineError('too_large'));
    } else this._keep(pending);
    return pending;
  }

  _keep(pending: Pending): void {
    this._store._put(pending._item).then((durable) => {
      pending.durable = durable;
      if (this._list.includes(pending)) this._chat._changed(pending);
      else this._store._delete(pending.clientId); // settled meanwhile
      pending._isKept = true;
      this._flush();
    });
  }

  // From another tab.
  _accept(items: Item[]): void {
    for (const item of items) if (!this._find(item.mid)) this._add(item)._isKept = true;
    this._flush();
  }

  // Sends what was not sent on this attachment.
  _flush(): void {
    if (!this._chat._tabs._isLeading) this._flushToLeader();
    else if (this._isAttached) {
      const frames: Frame[] = [];
      for (const pending of this._unconfirmed) {
        if (!pending._isKept) break;
        if (pending._seq) continue;
        pending._seq = this._nextSeq++;
        pending._move('sent');
        frames.push(pending._frame);
      }
      if (frames.length) {
        this._chat._line._send(frames);
        this._watch();
      }
    }
  }

  private _flushToLeader(): void {
    const fresh = this._unconfirmed.filter((pending) => pending._isKept && !pending._isHanded);
    for (const pending of fresh) {
      pending._isHanded = true;
      if (this._chat._state === LineState.Live) pending._move('sent');
    }
    if (fresh.length) {
      this._chat._tabs._tell({ k: Word.Pub, items: fresh.map((pending) => pending._item) });
      this._chat._tabs._expect();
    }
  }

  // There is a new leader: it may not know.
  _handOverAgain(): void {
    for (const pending of this._list) pending._isHanded = false;
    this._flush();
  }

  // Those that go with each poll: sent, or told in the last words of a page.
  _frames(): Frame[] {
    return fitting(this._unconfirmed.filter((pending) => pending._seq).map((pending) => pending._frame));
  }

  _number(): void {
    for (const pending of this._unconfirmed) if (!pending._seq) pending._seq = this._nextSeq++;
  }

  _lowestSeq(): number {
    const first = this._unconfirmed.find((pending) => pending._seq);
    return first ? first._seq : this._nextSeq;
  }

  _detached(): void {
    this._isAttached = false;
    this._timers._clear();
  }

  // Numbers are of an attachment; the mids are what makes a repeat harmless.
  _attached(seq: number): void {
    this._isAttached = true;
    this._silent = 0;
    this._resend(seq);
  }

  private _resend(seq: number): void {
    this._nextSeq = seq;
    for (const pending of this._list) pending._seq = 0;
    this._flush();
  }

  // Not confirmed in time: is the link alive? And once more.
  private _watch(): void {
    if (this._timers._has(Timer.Unconfirmed)) return;
    this._timers._set(Timer.Unconfirmed, this._chat._set._ackTimeout * 2 ** Math.min(this._silent, 3), () => {
      const late = this._unconfirmed.filter((pending) => pending._seq);
      if (!late.length || !this._isAttached) return;
      this._silent += 1;
      this._chat._line._poke();
      this._chat._line._send(late.map((pending) => pending._frame));
      this._watch();
    });
  }

  // Confirmed: what stands in the transcript, or undefined if that is not known any more.
  _confirmed(frame: Frame, me: string | undefined): Message | undefined {
    const pending = this._find(frame.mid);
    this._silent = 0;
    return pending && toMessage({ ...frame, from: { role: 'visitor', id: me }, kind: pending.kind, body: pending.body }, me);
  }

  _settle(mid: string, message: Message): boolean {
    const pending = this._find(mid);
    if (!pending) return false;
    this._list.splice(this._list.indexOf(pending), 1);
    if (pending._isKept) this._store._delete(mid);
    pending.error = null;
    pending._resolve(message);
    pending._move('acked');
    if (!this._unconfirmed.length) this._timers._clear();
    return true;
  }

  _notTaken(frame: Frame): void {
    const pending = this._find(frame.mid);
    const { problem } = frame;
    if (!pending || pending.state === 'failed') return;
    if (problem.retryable) {
      if (this._timers._has(Timer.Resend)) return;
      const ms = problem.retry_ms || (problem.code === 'out_of_order' ? WANTED_MS : RESEND_MS);
      this._timers._set(Timer.Resend, ms, () => this._resend(frame.want || this._lowestSeq()));
    } else {
      this._fail(pending, new HoldlineError(problem.code, problem));
      this._chat._tabs._tell({ k: Word.No, mid: frame.mid, problem });
    }
  }

  _fail(pending: Pending, error: HoldlineError): void {
    pending._fail(error);
    this._store._put(pending._item);
  }

  _remove(mid: string): void {
    this._list = this._list.filter((pending) => pending.clientId !== mid);
    this._store._delete(mid);
  }
}
