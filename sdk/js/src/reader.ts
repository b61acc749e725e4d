// What is received, in order and once: rule 3 of docs/protocol.md. A hole is held open until it
// is filled, and nothing later is delivered before.
import type { Chat } from './chat.js';
import { Timers } from './clock.js';
import type { Message } from './types.js';

const REPAIR_MS = 5000; // then the hole is asked for again

const enum Timer {
  Repair,
}

interface Past {
  _cursor: number;
  _until: number;
  _found: Message[];
  _isArmed: boolean; // what is said of the end is said of this
  _resolve: (found: Message[]) => void;
}

export class Reader {
  private _kept: Message[] = []; // all that this page was given
  private _keptAfter: number; // they are all there are beyond it
  private _held: [Message, number][] = []; // and what stands before each
  private _repairing = -1;
  private _past: Past | null = null;
  private _waiting: Past[] = [];
  private _timers: Timers;

  constructor(private _chat: Chat) {
    this._timers = new Timers(_chat._set._clock);
    this._keptAfter = _chat._record.o;
  }

  // Something that came, whose predecessor is `after`.
  _offer(message: Message, after: number): void {
    const { offset } = message;
    const { _past: past } = this;
    if (past && offset > past._cursor && after <= past._cursor) this._remember(past, message);
    if (offset <= this._chat._record.o) return;
    if (after > this._chat._record.o) {
      this._held.push([message, after]);
      this._repair(after);
      return;
    }
    this._take(message);
    this._held = this._held.filter(([held]) => held.offset > offset);
    const next = this._held.find(([, before]) => before <= offset);
    if (next) this._offer(...next);
    else if (!this._held[0]) this._timers._clear();
  }

  // Delivers it; then, not before, it counts as delivered. What the handlers do meanwhile must
  // not bring it a second time.
  _take(message: Message): void {
    this._kept.push(message);
    this._repairing = -1;
    this._chat._deliver(message);
  }

  private _repair(to: number): void {
    const from = this._chat._record.o;
    if (this._repairing === from) return;
    this._repairing = from;
    this._chat._app._emit('gap', { from: from + 1, to, reason: 'hole' });
    this._ask();
  }

  private _ask(): void {
    this._chat._fetchAfter(this._chat._record.o);
    this._timers._set(Timer.Repair, REPAIR_MS, () => this._held[0] && this._ask());
  }

  // There is nothing more to come up to there.
  _level(o: number): void {
    const { _past: past } = this;
    if (past && past._isArmed && o >= past._until) this._finish(past);
    if (o > this._chat._record.o) this._chat._setPosition(o);
  }

  // A new attachment: what was asked of the last one is asked again.
  _attached(): void {
    const { _past: past } = this;
    this._held = [];
    this._repairing = -1;
    this._timers._clear();
    if (past) {
      past._isArmed = false;
      this._chat._fetchAfter(past._cursor);
    }
  }

  _armed(): void {
    if (this._past) this._past._isArmed = true;
  }

  // Somebody else has to find it now.
  _surrender(ask: (after: number, until: number) => Promise<Message[]>): void {
    for (const past of [this._past, ...this._waiting]) {
      if (past) ask(past._cursor, past._until).then((found) => past._resolve([...past._found, ...found]));
    }
    this._past = null;
    this._waiting = [];
    this._attached();
  }

  _reset(): void {
    this._surrender(() => Promise.resolve([]));
    this._kept = [];
    this._keptAfter = 0;
  }

  // Where what is sent again should begin.
  get _from(): number {
    return this._past ? this._past._cursor : this._chat._record.o;
  }

  // What is in memory of it, or null if that is not all.
  _recall(after: number, until: number): Message[] | null {
    if (after < this._keptAfter || until > this._chat._record.o) return null;
    return this._kept.filter(({ offset }) => offset > after && offset <= until);
  }

  // Delivered earlier, perhaps before this page was there.
  _fetch(after: number, until: number): Promise<Message[]> {
    return new Promise((resolve) => {
      this._waiting.push({ _cursor: after, _until: until, _found: [], _isArmed: false, _resolve: resolve });
      this._next();
    });
  }

  private _next(): void {
    if (this._past) return;
    const past = (this._past = this._waiting.shift() || null);
    if (past) this._chat._fetchAfter(past._cursor);
  }

  private _remember(past: Past, message: Message): void {
    past._cursor = message.offset;
    if (message.offset <= past._until) past._found.push(message);
    if (message.offset >= past._until) this._finish(past);
  }

  private _finish(past: Past): void {
    past._resolve(past._found);
    this._past = null;
    this._next();
  }
}
