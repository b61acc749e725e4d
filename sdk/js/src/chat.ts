// A visitor's conversation in this tab: joins the line (if this tab leads), the other tabs, the
// reader and the sender, and keeps the record.
import { Timers } from './clock.js';
import { HoldlineError, problemOf } from './error.js';
import { before, type Frame, toMessage } from './frames.js';
import type { Holdline } from './holdline.js';
import { randomId } from './ids.js';
import { Line, LineState, type LineUser } from './line.js';
import type { Pending } from './outbox.js';
import { Reader } from './reader.js';
import { freshRecord, readRecord, type SessionRecord } from './record.js';
import { Sender } from './sender.js';
import type { Settings } from './settings.js';
import type { Store } from './store.js';
import { Tabs, Word } from './tabs.js';
import type { Author, Conversation, EventMap, EventName, Message, PendingMessage, Range, SendOptions, TransportName } from './types.js';

const ACK_MS = 300;
const RENEW_MS = 86400000; // of the token, while the link lasts
const TYPING_SAID_MS = 3000;
const TYPING_SHOWN_MS = 6000;
const UNREAD_MAX = 999;
const DAY_MS = 86400000;

const enum Timer {
  Ack,
  Renew,
  SaidTyping,
}

export class Chat implements LineUser, Conversation {
  _record: SessionRecord;
  _state = LineState.Idle as LineState;
  _transport: TransportName | null = null;
  _line: Line;
  _tabs: Tabs;
  _reader: Reader;
  _sender: Sender;
  private _timers: Timers;
  private _credit = 512;
  private _fetches = 0;
  private _acked = 0;
  private _readSaid = 0;
  private _leader = '';
  private _resets = 0;
  private _asked = new Map<string, [any, (found: Message[]) => void]>();

  constructor(public _set: Settings, name: string, public _store: Store, tabs: boolean, public _app: Holdline) {
    this._timers = new Timers(_set._clock);
    this._record = readRecord(_store._read('session'));
    const { c, e } = this._record;
    const own = _store._readOwn();
    if (own && own[0] === c && own[1] === e) this._record.o = own[2];
    this._line = new Line(_set, this);
    this._tabs = new Tabs(name, !tabs || !_store._isShared, this);
    this._reader = new Reader(this);
    this._sender = new Sender(this, _store);
  }

  private _save(): void {
    const { c, e, o } = this._record;
    this._store._writeOwn([c, e, o]);
    if (this._tabs._isLeading) this._store._write('session', this._record);
  }

  // -- tabs -------------------------------------------------------------------------------------

  _join(): void {
    this._tabs._join();
    this._tabs._tell({ k: Word.Join });
    this._tabs._expect();
    this._app._stateChanged();
  }

  // Gives up link and leadership.
  _part(): void {
    this._tabs._part();
    this._line._close();
    this._timers._clear();
    this._reader._attached();
    this._sender._detached();
    this._show(LineState.Idle, null);
  }

  // The last leader may have written since; but what this tab was given is what it goes on from.
  async _lead(): Promise<void> {
    const { o, c, e } = this._record;
    const kept = readRecord(this._store._read('session'));
    if (kept.token) {
      const isSame = kept.c === c && kept.e === e;
      if (c && !isSame) this._restart();
      this._record = { ...kept, o: isSame ? o : c ? 0 : kept.o };
    }
    await this._sender._load();
    if (!this._tabs._isLeading) return;
    for (const [{ after, until }, resolve] of this._asked.values()) this._range(after, until).then(resolve);
    this._line._open();
  }

  _follow(): void {
    this._line._close();
    this._join();
    this._reader._surrender((after, until) => this._range(after, until));
  }

  _connect(): void {
    if (this._tabs._isLeading && this._line._state === LineState.Idle) this._line._open();
    this._join();
    this._tabs._tell({ k: Word.Connect });
  }

  _hear(message: any): void {
    const { k, tab } = message;
    if (k === Word.Gone) this._sender._remove(message.mid);
    else if (k === Word.Forget) this._app._forgotten();
    else if (!this._tabs._isLeading) this._hearLeader(message);
    else if (k === Word.Join) this._announce();
    else if (k === Word.Pub) {
      this._sender._accept(message.items);
      this._announce();
    } else if (k === Word.Typing) this.typing(message.on);
    else if (k === Word.Read) this.read(message.o);
    else if (k === Word.Connect) this._connect();
    else if (k === Word.Range) {
      this._range(message.after, message.until).then((found) => this._tabs._tell({ k: Word.Found, to: tab, id: message.id, found }));
    }
  }

  private _hearLeader(message: any): void {
    const { k } = message;
    if (k === Word.Lead) this._followLeader(message);
    else if (k === Word.Message) this._reader._offer(message.m, message.after);
    else if (k === Word.Event) this._app._emit(message.type as EventName, message.detail);
    else if (k === Word.Ok) this._settle(message.m);
    else if (k === Word.Found) {
      const asked = this._asked.get(message.id);
      if (asked) asked[1](message.found);
    } else if (k === Word.No) {
      const pending = this._sender._find(message.mid);
      if (pending && pending.state !== 'failed') pending._fail(new HoldlineError(message.problem.code, message.problem));
    } else if (k === Word.Error) this._app._emit('error', new HoldlineError(message.problem.code, message.problem));
  }

  _announce(): void {
    const { token, rid, ...r } = this._record; // no secrets
    this._tabs._tell({ k: Word.Lead, r, s: this._state, tr: this._transport });
  }

  private _followLeader({ r, s, tr, tab }: any): void {
    const { _record: record } = this;
    if (r.c) {
      if (record.c && (record.c !== r.c || record.e !== r.e)) this._restart();
      Object.assign(record, r, { o: record.o });
    }
    this._show(s, tr);
    if (tab !== this._leader) {
      this._leader = tab;
      this._sender._handOverAgain();
      for (const [question] of this._asked.values()) this._tabs._tell(question);
    }
    if (r.o > record.o) this._catchUp(r.o);
  }

  // What the leader was given and this tab was not.
  private async _catchUp(until: number): Promise<void> {
    const resets = this._resets;
    const found = await this._range(this._record.o, until);
    if (resets !== this._resets || this._tabs._isLeading) return;
    for (const message of found) this._reader._offer(message, this._record.o);
    this._reader._level(until);
  }

  // All of it is of a past that does not count any more.
  private _restart(): void {
    const { o } = this._record;
    this._resets += 1;
    this._line._resets += 1;
    Object.assign(this._record, { o: 0, read: 0, unread: [], agent: null, closed: false });
    this._acked = this._readSaid = 0;
    this._reader._reset();
    if (o) this._app._emit('gap', { from: 1, to: o, reason: 'reset' });
  }

  // Messages that were delivered before; from memory, from the leader, or from the gateway.
  _range(after: number, until: number): Promise<Message[]> {
    const there = this._reader._recall(after, until);
    if (there || until <= after) return Promise.resolve(there || []);
    if (this._tabs._isLeading) return this._reader._fetch(after, until);
    const id = randomId();
    const question = { k: Word.Range, id, after, until };
    return new Promise((resolve) => {
      this._asked.set(id, [question, (found) => {
        this._asked.delete(id);
        resolve(found);
      }]);
      this._tabs._tell(question);
      this._tabs._expect();
    });
  }

  // -- the line ---------------------------------------------------------------------------------

  _lineChanged(): void {
    const { _state, _transport } = this._line;
    if (_state !== LineState.Live) {
      this._sender._detached();
      this._timers._stop(Timer.Ack);
      this._timers._stop(Timer.Renew);
    } else this._sender._flush();
    this._show(_state, _transport);
    this._announce();
  }

  private _show(state: LineState, transport: TransportName | null): void {
    this._state = state;
    this._transport = transport;
    this._app._stateChanged();
  }

  _hello(): Frame {
    return { t: 'hello', v: 1, ...this._app._helloMembers(), ...this._place() };
  }

  // The pubs of a poll come last, and only when there is an attachment they are numbered for.
  _pollBody(frames: Frame[], isAttached: boolean): Record<string, unknown> {
    const others = frames.filter(({ t }) => t !== 'pub');
    return {
      frames: isAttached ? [...others, ...this._sender._frames()] : others,
      seq: this._sender._lowestSeq(),
      ...this._place(),
    };
  }

  // Who asks, and where it is.
  private _place(): Record<string, unknown> {
    const { token, c, e } = this._record;
    return { token, pos: e && [{ c, e, o: this._reader._from }] };
  }

  _nextRid(): number {
    this._record.rid = Math.max(this._record.rid + 1, this._set._clock.wall());
    this._save();
    return this._record.rid;
  }

  _webSocketWorked(): boolean {
    return Math.abs(this._set._clock.wall() - (this._record.ws || 0)) < DAY_MS;
  }

  _noteWebSocket(): void {
    this._record.ws = this._set._clock.wall();
    this._save();
  }

  _hopeless(error: HoldlineError): boolean {
    const isStale = !!this._record.token && (error.code === 'token_expired' || error.code === 'token_invalid');
    if (isStale || error.code === 'conversation_erased') this._forget(isStale);
    if (!isStale) {
      this._tabs._tell({ k: Word.Error, problem: problemOf(error) });
      this._app._hopeless(error);
    }
    return isStale;
  }

  // What was not delivered is said in the next conversation.
  private _forget(isGoingOn: boolean): void {
    this._restart();
    this._record = { ...freshRecord(), form: isGoingOn && this._record.form };
    this._save();
  }

  // -- frames -----------------------------------------------------------------------------------

  _receive(frame: Frame): void {
    const { t } = frame;
    if (t === 'msg') this._reader._offer(toMessage(frame, this._record.me), before(frame));
    else if (t === 'pub_ok') this._onConfirmed(frame);
    else if (t === 'pub_no') this._sender._notTaken(frame);
    else if (t === 'welcome') this._onWelcome(frame);
    else if (t === 'ping') this._onPing(frame);
    else if (t === 'pong' && +frame.ts === this._fetches) this._reader._armed();
    else if (t === 'synced') this._onLevel(frame.o);
    else if (t === 'gap') this._onGap(frame);
    else if (t === 'receipt') this._onReceipt(frame);
    else if (t === 'typing') this._onTyping(frame.from, frame.on);
    else if (t === 'presence') this._say('presence', { from: frame.from, on: frame.on });
    else if (t === 'auth_ok') this._renewed(frame.token);
    else if (t === 'error') this._onError(frame);
  }

  private _onWelcome(frame: Frame): void {
    const [{ c, verdict, e, reference }] = frame.conv;
    const { _record: record } = this;
    record.token = frame.token || record.token; // stored before anything is sent
    if (verdict === 'reset' || (record.c && c !== record.c)) this._restart();
    Object.assign(record, { c, e, me: frame.participant, ref: reference || record.ref });
    this._save();
    this._renewed();
    this._credit = frame.credit || this._credit;
    this._sender._bodyMax = frame.body_max || this._sender._bodyMax;
    this._reader._attached();
    this._readSaid = 0;
    this._ackSoon();
    this._sender._attached(frame.seq || 1);
    this._announce();
  }

  private _renewed(token?: string): void {
    if (token) {
      this._record.token = token;
      this._save();
    }
    this._timers._set(Timer.Renew, RENEW_MS, () => this._line._send([{ t: 'auth' }]));
  }

  private _onConfirmed(frame: Frame): void {
    if (frame.reference) this._record.ref = frame.reference;
    const message = this._sender._confirmed(frame, this._record.me);
    if (!message) return;
    if (frame.o > this._record.o && before(frame) <= this._record.o) this._reader._offer(message, before(frame));
    this._settle(message);
  }

  private _settle(message: Message): void {
    if (!this._sender._settle(message.clientId, message)) return;
    if (this._tabs._isLeading) this._tabs._tell({ k: Word.Ok, m: message });
    this._app._emit('ack', { clientId: message.clientId, message });
  }

  private _onPing({ heads = [] }: Frame): void {
    this._line._send([{ t: 'pong' }]);
    for (const { c, o } of heads) if (c === this._record.c && o > this._record.o) this._fetchAfter(this._record.o);
  }

  private _onLevel(o: number): void {
    const { o: had } = this._record;
    this._reader._level(o);
    if (this._record.o > had) this._announce();
  }

  private _onGap({ from, to, why }: Frame): void {
    this._reader._level(to);
    this._say('gap', { from, to, reason: why });
    this._announce();
  }

  private _onReceipt({ from, delivered, read }: Frame): void {
    this._say('position', { from, delivered, read });
  }

  private _onTyping(from: Author, on: boolean): void {
    const name = `typing ${from.id}`;
    if (!on && !this._timers._has(name)) return;
    if (on) this._timers._set(name, TYPING_SHOWN_MS, () => this._say('typing', { from, on: false }));
    else this._timers._stop(name);
    this._say('typing', { from, on });
  }

  private _onError({ ref, problem }: Frame): void {
    if (ref && ref.mid) this._sender._notTaken({ t: 'pub_no', mid: ref.mid, problem });
    else this._app._emit('error', new HoldlineError(problem.code, problem));
  }

  // Tells the application, here and in the other tabs.
  private _say<K extends EventName>(type: K, detail: EventMap[K]): void {
    this._tabs._tell({ k: Word.Event, type, detail });
    this._app._emit(type, detail);
  }

  // -- for the reader ---------------------------------------------------------------------------

  _setPosition(o: number): void {
    this._record.o = o;
    this._save();
    this._ackSoon();
  }

  // The position is stored after the handlers ran, in the same task: a reload cannot come between.
  _deliver(message: Message): void {
    const { _record: record } = this;
    const { o: after } = record;
    const { offset, kind, own, from } = message;
    record.o = offset;
    if (kind === 'message' && !own) {
      record.unread = [...record.unread, offset].slice(-UNREAD_MAX);
      this._onTyping(from, false);
    }
    const isAssigned = /^(claimed|transferred|released)$/.test(kind);
    const isClosed = /^(closed|reopened)$/.test(kind);
    if (isAssigned) record.agent = kind === 'released' ? null : message.subject || from.id;
    if (isClosed) record.closed = kind === 'closed';
    this._tabs._isLeading && this._tabs._tell({ k: Word.Message, m: message, after });
    this._app._emit('message', message);
    if (isAssigned) this._app._emit('assigned', { agent: record.agent!, message });
    if (isClosed) this._app._emit('closed', { closed: record.closed!, message });
    this._save();
    if (own) this._settle(message);
    this._ackSoon();
  }

  _fetchAfter(o: number): void {
    // Whatever `synced` comes after this very pong is of this.
    if (this._tabs._isLeading) this._line._send([{ t: 'hist', after: o }, { t: 'ping', ts: `${++this._fetches}` }]);
    else this._tabs._tell({ k: Word.Join }); // the answer shows what is missing
  }

  // One ack for all that came meanwhile. On long-poll each poll says the position anyway.
  private _ackSoon(): void {
    if (!this._tabs._isLeading) return;
    if (this._record.o - this._acked >= this._credit / 2) this._ack();
    else if (!this._timers._has(Timer.Ack)) this._timers._set(Timer.Ack, ACK_MS, () => this._ack());
  }

  private _ack(): void {
    const { c, e, o, read } = this._record;
    if (!o || !c || this._state !== LineState.Live || (this._transport === 'longpoll' && read <= this._readSaid)) return;
    this._acked = o;
    this._readSaid = read;
    this._line._send([{ t: 'ack', c, e, o, ...(read ? { read: Math.min(read, o) } : {}) }]);
  }

  // -- for messages on their way ----------------------------------------------------------------

  _changed(pending: Pending): void {
    this._app._emit('pending', pending);
  }

  _again(pending: Pending): void {
    pending._isKept = false;
    pending.at = pending._item.at = this._set._clock.wall();
    this._sender._keep(pending);
  }

  _dismiss(pending: Pending): void {
    this._sender._remove(pending.clientId);
    this._tabs._tell({ k: Word.Gone, mid: pending.clientId });
    this._changed(pending);
  }

  // -- for the application ----------------------------------------------------------------------

  get id(): string {
    return this._record.c || '';
  }

  get reference(): string | null {
    return this._record.ref || null;
  }

  get position(): number {
    return this._record.o;
  }

  get unread(): number {
    return this._record.unread.length;
  }

  get status(): 'open' | 'closed' {
    return this._record.closed ? 'closed' : 'open';
  }

  get assignee(): string | null {
    return this._record.agent || null;
  }

  get pending(): readonly PendingMessage[] {
    return [...this._sender._list];
  }

  send(said: string | Record<string, unknown>, options?: SendOptions): PendingMessage {
    return this._sender._say(said, options);
  }

  async *messages({ after, before: end = Infinity, limit = Infinity }: Range = {}): AsyncIterable<Message> {
    const until = Math.min(end - 1, this._record.o);
    const found = await this._range(after === undefined ? Math.max(0, until - limit) : after, until);
    yield* found.slice(0, limit);
  }

  typing(on: boolean): void {
    const { _timers: timers } = this;
    if (on === timers._has(Timer.SaidTyping)) return;
    if (on) timers._set(Timer.SaidTyping, TYPING_SAID_MS, () => {});
    else timers._stop(Timer.SaidTyping);
    if (this._tabs._isLeading) this._line._send([{ t: 'typing', on }]);
    else this._tabs._tell({ k: Word.Typing, on });
  }

  read(offset = Infinity): void {
    const { _record: record } = this;
    const o = Math.min(offset, record.o);
    if (o <= record.read) return;
    record.read = o;
    record.unread = record.unread.filter((other) => other > o);
    if (!this._tabs._isLeading) this._tabs._tell({ k: Word.Read, o });
    else {
      this._setPosition(record.o);
      this._announce();
    }
  }

  rate(score: number, comment?: string): PendingMessage {
    return this.send({ score, comment }, { kind: 'rated' });
  }

  async close(): Promise<void> {
    const { _sender: sender } = this;
    while (sender._unconfirmed[0]) await sender._unconfirmed[0].acked.catch(() => {});
    await this._app._leave();
  }

  // This page goes: what is not confirmed is told once more, without waiting.
  _lastWords(): void {
    if (!this._tabs._isLeading || !this._record.token || !this._sender._unconfirmed.length) return;
    this._sender._number();
    this._line._lastWords();
  }

  // Signs out: this visitor is not known here any more.
  async _wipe(): Promise<void> {
    this._line._send([{ t: 'bye' }]);
    this._tabs._tell({ k: Word.Forget });
    this._part();
    this._record = freshRecord();
    this._sender._list = [];
    this._reader._reset();
    await this._store._wipe();
  }
}
