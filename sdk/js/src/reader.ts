// What is received, in order and once: rule 3 of docs/protocol.md. A hole is held open until it
// is filled, and nothing later is delivered before.
import { Timers } from './clock.js';
import type { Clock, GapDetail, Message } from './types.js';

const KEPT_MAX = 1000; // messages in memory, for the application and for other tabs
const HELD_MAX = 512;
const REPAIR_MS = 5000; // then the hole is asked for again

export interface ReaderUser {
  _position(): number;
  _setPosition(o: number): void; // everything up to there was delivered, or cannot be had
  _deliver(message: Message): void;
  _fetchAfter(o: number): void; // have everything sent again from there
  _gap(gap: GapDetail): void;
}

interface Past {
  _cursor: number;
  _until: number;
  _found: Message[];
  _isArmed: boolean; // what is said of the end is said of this
  _resolve: (found: Message[]) => void;
}

export class Reader {
  private _kept: Message[] = [];
  private _keptAfter: number; // they are all there are beyond it
  private _held = new Map<number, [Message, number]>();
  private _repairing = -1;
  private _past: Past | null = null;
  private _waiting: Past[] = [];
  private _timers: Timers;

  constructor(clock: Clock, private _user: ReaderUser) {
    this._timers = new Timers(clock);
    this._keptAfter = _user._position();
  }

  // Something that came, whose predecessor is `after`.
  _offer(message: Message, after: number): void {
    const { offset } = message;
    const { _past: past } = this;
    if (past && offset > past._cursor && after <= past._cursor) this._remember(past, message);
    if (offset <= this._user._position()) return;
    if (after > this._user._position()) {
      if (this._held.size < HELD_MAX) this._held.set(offset, [message, after]);
      this._repair(after);
      return;
    }
    this._take(message);
    for (const [next, [held, heldAfter]] of [...this._held].sort(([a], [b]) => a - b)) {
      if (heldAfter > this._user._position()) break;
      this._held.delete(next);
      if (next > this._user._position()) this._take(held);
    }
    if (!this._held.size) this._timers._stop('repair');
  }

  // Delivers it; then, not before, it counts as delivered. What the handlers do meanwhile must
  // not bring it a second time.
  _take(message: Message): void {
    this._kept.push(message);
    if (this._kept.length > KEPT_MAX) this._keptAfter = this._kept.shift()!.offset;
    this._repairing = -1;
    this._user._deliver(message);
  }

  private _repair(to: number): void {
    const from = this._user._position();
    if (this._repairing === from) return;
    this._repairing = from;
    this._user._gap({ from: from + 1, to, reason: 'hole' });
    this._ask();
  }

  private _ask(): void {
    this._user._fetchAfter(this._user._position());
    this._timers._set('repair', REPAIR_MS, () => this._held.size && this._ask());
  }

  // There is nothing more to come up to there.
  _level(o: number): void {
    const { _past: past } = this;
    if (past && past._isArmed && o >= past._until) this._finish(past);
    if (o > this._user._position()) this._user._setPosition(o);
  }

  // A new attachment: what was asked of the last one is asked again.
  _attached(): void {
    this._held.clear();
    this._repairing = -1;
    this._timers._stop('repair');
    if (this._past) {
      this._past._isArmed = false;
      this._user._fetchAfter(this._past._cursor);
    }
  }

  _armed(): void {
    if (this._past) this._past._isArmed = true;
  }

  // Somebody else has to find it now.
  _surrender(ask: (after: number, until: number) => Promise<Message[]>): void {
    const all = [this._past, ...this._waiting];
    this._past = null;
    this._waiting = [];
    for (const past of all) {
      if (past) ask(past._cursor, past._until).then((found) => past._resolve([...past._found, ...found]));
    }
  }

  _reset(): void {
    this._held.clear();
    this._repairing = -1;
    this._timers._stop('repair');
    this._kept = [];
    this._keptAfter = 0;
    for (const past of [this._past, ...this._waiting]) if (past) past._resolve([]);
    this._past = null;
    this._waiting = [];
  }

  // Where what is sent again should begin.
  get _from(): number {
    return this._past ? Math.min(this._past._cursor, this._user._position()) : this._user._position();
  }

  // What is in memory of it, or null if that is not all.
  _recall(after: number, until: number): Message[] | null {
    if (after < this._keptAfter && after < until) return null;
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
    if (past) this._user._fetchAfter(past._cursor);
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

  _stop(): void {
    this._timers._clear();
  }
}
