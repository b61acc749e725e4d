// A visitor's conversation in this tab: joins the line (if this tab leads), the other tabs, the
// reader and the sender, and keeps the record.
import { Timers } from './clock.js';
import { HoldlineError } from './error.js';
import { before, type Frame, toError, toMessage } from './frames.js';
import { Line, type LineSettings, type LineState, type LineUser } from './line.js';
import type { Item, Pending } from './outbox.js';
import { Reader, type ReaderUser } from './reader.js';
import { freshRecord, readRecord, type SessionRecord } from './record.js';
import { Sender, type SenderUser } from './sender.js';
import type { Store } from './store.js';
import { Tabs, type TabsUser } from './tabs.js';
import type { Author, EventMap, EventName, GapDetail, Message, TransportName } from './types.js';

const PAST = 'past';
const ACK_MS = 300;
const RENEW_MS = 86400000; // of the token, while the link lasts
const TYPING_SAID_MS = 3000;
const TYPING_SHOWN_MS = 6000;
const UNREAD_MAX = 999;
const DAY_MS = 86400000;

export interface ChatUser {
  _emit<K extends EventName>(type: K, detail: EventMap[K]): void;
  _stateChanged(): void;
  _hopeless(error: HoldlineError): void;
  _forgotten(): void; // another tab signed out
  _helloMembers(): Record<string, unknown>;
  _token(): string | undefined; // handed in from outside
}

export class Chat implements LineUser, TabsUser, ReaderUser, SenderUser {
  _record: SessionRecord;
  _state: LineState = 'idle';
  _transport: TransportName | null = null;
  _retryIn: number | null = null;
  _line: Line;
  _tabs: Tabs;
  _reader: Reader;
  _sender: Sender;
  private _timers: Timers;
  private _credit = 512;
  private _acked = 0;
  private _readSaid = 0;
  private _isDup = false;
  private _receipts: Record<string, [number, number]> = {};
  private _leader = '';
  private _resets = 0;
  private _questions = 0;
  private _asked = new Map<string, (found: Message[]) => void>();
  private _asking = new Map<string, any>();

  constructor(settings: LineSettings, name: string, public _store: Store, tabs: boolean, ackTimeout: number, private _user: ChatUser) {
    const { _clock: clock } = settings;
    this._timers = new Timers(clock);
    this._record = readRecord(_store._read('session'));
    const { c, e } = this._record;
    const own = _store._readOwn();
    if (own && own[0] === c && own[1] === e) this._record.o = own[2];
    this._line = new Line(settings, this);
    this._tabs = new Tabs(name, !tabs || !_store._isShared, clock, this);
    this._reader = new Reader(clock, this);
    this._sender = new Sender(clock, _store, ackTimeout, this);
  }

  private get _clock() {
    return this._line._clock;
  }

  private _save(): void {
    const { c, e, o } = this._record;
    this._store._writeOwn([c, e, o]);
    if (this._tabs._isLeading) this._store._write('session', this._record);
  }

  // -- tabs -------------------------------------------------------------------------------------

  _readLease(): any {
    return this._store._read('leader');
  }

  _writeLease(lease: any): void {
    this._store._write('leader', lease);
  }

  _join(): void {
    this._tabs._join();
    this._tabs._tell({ k: 'join' });
    this._tabs._expect();
    this._user._stateChanged();
  }

  // Gives up link and leadership.
  _part(): void {
    this._tabs._part();
    this._line._close();
    this._timers._clear();
    this._reader._stop();
    this._sender._stop();
    this._show('idle', null, null);
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
    for (const question of this._asking.values()) this._answerMyself(question);
    this._line._open();
  }

  _follow(): void {
    this._line._close();
    this._join();
    this._reader._surrender((after, until) => this._range(after, until));
  }

  _connect(): void {
    if (this._tabs._isLeading && this._line._state === 'idle') this._line._open();
    this._join();
    this._tabs._tell({ k: 'connect' });
  }

  _hear(message: any): void {
    const { k, tab } = message;
    if (k === 'gone') this._sender._remove(message.mid);
    else if (k === 'forget') this._user._forgotten();
    else if (!this._tabs._isLeading) this._hearLeader(message);
    else if (k === 'join') this._announce();
    else if (k === 'pub') {
      this._sender._accept(message.items);
      this._announce();
    } else if (k === 'typing') this._line._send([{ t: 'typing', on: message.on }]);
    else if (k === 'read') this._read(message.o);
    else if (k === 'connect' && this._line._state === 'idle') this._line._open();
    else if (k === 'range') {
      this._range(message.after, message.until).then((found) => this._tabs._tell({ k: 'found', to: tab, id: message.id, found }));
    }
  }

  private _hearLeader(message: any): void {
    const { k } = message;
    if (k === 'lead') this._followLeader(message);
    else if (k === 'm') this._reader._offer(message.m, message.after);
    else if (k === 'event') this._user._emit(message.type as EventName, message.detail);
    else if (k === 'ok') this._settle(message.m, message.dup);
    else if (k === 'found') {
      const resolve = this._asked.get(message.id);
      if (resolve) resolve(message.found);
    } else if (k === 'no') {
      const pending = this._sender._find(message.mid);
      if (pending && pending.state !== 'failed') pending._fail(toError(message.problem));
    } else if (k === 'error') this._user._emit('error', toError(message.problem));
  }

  private _announce(): void {
    const { c, e, o, me, read, unread, ref, agent, closed, form } = this._record;
    this._tabs._tell({
      k: 'lead', r: { c, e, o, me, read, unread, ref, agent, closed, form },
      line: [this._state, this._transport, this._retryIn], bodyMax: this._sender._bodyMax, leader: this._tabs._id,
    });
  }

  private _followLeader({ r, line, bodyMax, leader }: any): void {
    const { _record: record } = this;
    if (r.c) {
      if (record.c && (record.c !== r.c || record.e !== r.e)) this._restart();
      Object.assign(record, r, { o: record.o });
    }
    this._sender._bodyMax = bodyMax;
    this._show(line[0], line[1], line[2]);
    if (leader !== this._leader) {
      this._leader = leader;
      this._sender._handOverAgain();
      for (const question of this._asking.values()) this._tabs._tell(question);
    }
    if (r.o > record.o) this._catchUp(r.o);
  }

  // What the leader was given and this tab was not.
  private async _catchUp(until: number): Promise<void> {
    if (this._timers._has('catching')) return;
    this._timers._set('catching', 10000, () => {});
    const resets = this._resets;
    const found = await this._range(this._record.o, until);
    this._timers._stop('catching');
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
    if (o) this._user._emit('gap', { from: 1, to: o, reason: 'reset' });
  }

  // Messages that were delivered before; from memory, from the leader, or from the gateway.
  _range(after: number, until: number): Promise<Message[]> {
    const there = this._reader._recall(after, until);
    if (there || until <= after) return Promise.resolve(there || []);
    if (this._tabs._isLeading) return this._reader._fetch(after, until);
    const id = `${this._tabs._id} ${(this._questions += 1)}`;
    const question = { k: 'range', id, after, until };
    return new Promise((resolve) => {
      this._asking.set(id, question);
      this._asked.set(id, (found) => {
        this._asking.delete(id);
        this._asked.delete(id);
        resolve(found);
      });
      this._tabs._tell(question);
      this._tabs._expect();
    });
  }

  private _answerMyself({ id, after, until }: any): void {
    this._range(after, until).then(this._asked.get(id));
  }

  // -- the line ---------------------------------------------------------------------------------

  _lineChanged(): void {
    const { _state, _transport, _retryIn } = this._line;
    if (_state !== 'live') {
      this._sender._detached();
      this._timers._stop('ack');
      this._timers._stop('renew');
    } else this._sender._flush();
    this._show(_state, _transport, _retryIn);
    this._announce();
  }

  private _show(state: LineState, transport: TransportName | null, retryIn: number | null): void {
    Object.assign(this, { _state: state, _transport: transport, _retryIn: retryIn });
    this._user._stateChanged();
  }

  _hello(): Frame {
    const { token = this._user._token(), c, e } = this._record;
    const frame: Frame = { t: 'hello', v: 1, ...this._user._helloMembers() };
    if (token) frame.token = token;
    if (c && e) frame.pos = [{ c, e, o: this._reader._from }];
    return frame;
  }

  _pollBody(frames: Frame[], isAttached: boolean): Record<string, unknown> {
    const { token, c, e } = this._record;
    const others = frames.filter((frame) => frame.t !== 'pub');
    const body: Record<string, unknown> = {
      frames: isAttached ? [...others, ...this._sender._frames()] : others,
      seq: this._sender._lowestSeq(),
    };
    if (token) body.token = token;
    if (c && e) body.pos = [{ c, e, o: this._reader._from }];
    return body;
  }

  _nextRid(): number {
    this._record.rid = Math.max(this._record.rid + 1, this._clock.wall());
    this._save();
    return this._record.rid;
  }

  _webSocketWorked(): boolean {
    return Math.abs(this._clock.wall() - (this._record.ws || 0)) < DAY_MS;
  }

  _noteWebSocket(): void {
    this._record.ws = this._clock.wall();
    this._save();
  }

  _hopeless(error: HoldlineError): boolean {
    const isStale = !!this._record.token && (error.code === 'token_expired' || error.code === 'token_invalid');
    if (isStale || error.code === 'conversation_erased') this._forget(isStale);
    if (!isStale) {
      this._tabs._tell({ k: 'error', problem: { code: error.code, detail: error.message, retryable: error.retryable } });
      this._user._hopeless(error);
    }
    return isStale;
  }

  // What was not delivered is said in the next conversation.
  private _forget(isGoingOn: boolean): void {
    this._restart();
    const { rid, ws, form } = this._record;
    this._record = { ...freshRecord(), rid, ws, form: isGoingOn && form };
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
    else if (t === 'pong' && frame.ts === PAST) this._reader._armed();
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
    this._timers._set('renew', RENEW_MS, () => this._line._send([{ t: 'auth' }]));
  }

  private _onConfirmed(frame: Frame): void {
    if (frame.reference) this._record.ref = frame.reference;
    const message = this._sender._confirmed(frame, this._record.me);
    if (!message) return;
    this._isDup = frame.dup;
    if (frame.o > this._record.o && before(frame) <= this._record.o) this._reader._offer(message, before(frame));
    this._settle(message, frame.dup);
    this._isDup = false;
  }

  private _settle(message: Message, duplicate: boolean): void {
    if (!this._sender._settle(message.clientId, message)) return;
    if (this._tabs._isLeading) this._tabs._tell({ k: 'ok', m: message, dup: duplicate });
    this._user._emit('ack', { clientId: message.clientId, duplicate, message });
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
    const [d, r] = this._receipts[from.id] || [0, 0];
    this._receipts[from.id] = [Math.max(d, delivered), Math.max(r, read)];
    this._say('position', { from, delivered: Math.max(d, delivered), read: Math.max(r, read) });
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
    else this._user._emit('error', toError(problem));
  }

  // Tells the application, here and in the other tabs.
  private _say<K extends EventName>(type: K, detail: EventMap[K]): void {
    this._tabs._tell({ k: 'event', type, detail });
    this._user._emit(type, detail);
  }

  // -- for the reader ---------------------------------------------------------------------------

  _position(): number {
    return this._record.o;
  }

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
    } else this._note(message);
    this._tabs._isLeading && this._tabs._tell({ k: 'm', m: message, after });
    this._user._emit('message', message);
    if (kind === 'claimed' || kind === 'transferred' || kind === 'released') this._user._emit('assigned', { agent: record.agent!, message });
    if (kind === 'closed' || kind === 'reopened') this._user._emit('closed', { closed: record.closed!, message });
    this._save();
    if (own) this._settle(message, this._isDup);
    this._ackSoon();
  }

  private _note({ kind, subject, from }: Message): void {
    const { _record: record } = this;
    if (kind === 'claimed' || kind === 'transferred') record.agent = subject || from.id;
    else if (kind === 'released') record.agent = null;
    else if (kind === 'closed' || kind === 'reopened') record.closed = kind === 'closed';
  }

  _fetchAfter(o: number): void {
    // Whatever `synced` comes after the pong is of this.
    if (this._tabs._isLeading) this._line._send([{ t: 'hist', after: o }, { t: 'ping', ts: PAST }]);
    else this._tabs._tell({ k: 'join' }); // the answer shows what is missing
  }

  _gap(gap: GapDetail): void {
    this._user._emit('gap', gap);
  }

  // One ack for all that came meanwhile. On long-poll each poll says the position anyway.
  private _ackSoon(): void {
    if (!this._tabs._isLeading) return;
    if (this._record.o - this._acked >= this._credit / 2) this._ack();
    else if (!this._timers._has('ack')) this._timers._set('ack', ACK_MS, () => this._ack());
  }

  private _ack(): void {
    const { c, e, o, read } = this._record;
    if (!o || !c || this._state !== 'live' || (this._transport === 'longpoll' && read <= this._readSaid)) return;
    this._acked = o;
    this._readSaid = read;
    this._line._send([{ t: 'ack', c, e, o, ...(read ? { read: Math.min(read, o) } : {}) }]);
  }

  // -- for the sender ---------------------------------------------------------------------------

  _send(frames: Frame[]): void {
    this._line._send(frames);
  }

  _poke(): void {
    this._line._poke();
  }

  _handOver(items: Item[]): void {
    this._tabs._tell({ k: 'pub', items });
    this._tabs._expect();
  }

  _isLeading(): boolean {
    return this._tabs._isLeading;
  }

  _isLive(): boolean {
    return this._state === 'live';
  }

  _refused(pending: Pending): void {
    const { code, message, retryable } = pending.error!;
    this._tabs._tell({ k: 'no', mid: pending.clientId, problem: { code, detail: message, retryable } });
  }

  _changed(pending: Pending): void {
    this._user._emit('pending', pending);
  }

  _again(pending: Pending): void {
    pending._isKept = false;
    pending.at = pending._item.at = this._clock.wall();
    this._sender._keep(pending);
  }

  _dismiss(pending: Pending): void {
    this._sender._remove(pending.clientId);
    this._tabs._tell({ k: 'gone', mid: pending.clientId });
    this._changed(pending);
  }

  // -- for the application ----------------------------------------------------------------------

  _read(o: number): void {
    const { _record: record } = this;
    if (o <= record.read) return;
    record.read = o;
    record.unread = record.unread.filter((offset) => offset > o);
    if (!this._tabs._isLeading) this._tabs._tell({ k: 'read', o });
    else {
      this._save();
      this._ackSoon();
      this._announce();
    }
  }

  _typing(on: boolean): void {
    if (on ? this._timers._has('said typing') : !this._timers._has('said typing')) return;
    if (on) this._timers._set('said typing', TYPING_SAID_MS, () => {});
    else this._timers._stop('said typing');
    if (this._tabs._isLeading) this._line._send([{ t: 'typing', on }]);
    else this._tabs._tell({ k: 'typing', on });
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
    this._tabs._tell({ k: 'forget' });
    this._part();
    this._record = freshRecord();
    this._sender._list = [];
    this._reader._reset();
    await this._store._wipe();
  }
}
