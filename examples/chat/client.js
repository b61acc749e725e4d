// A visitor's client of the holdline protocol: docs/protocol.md, "Writing a client".
//
//   const client = new ChatClient({ url: location.origin });
//   client.addEventListener('change', () => draw(client));
//   client.start();
//   client.say('Hello?');
//
// What may be read: entries (confirmed, in order), outbox (not confirmed yet), status, transport,
// receipts, typing, agents, isKept.

import { PollLink, WebSocketLink } from './links.js';
import { Store } from './store.js';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 20000;
const BACKOFF_MIN_MS = 100;
const HEALTHY_MS = 10000; // a link that lasted so long starts the backoff anew
const REPROBE_MS = 300000;
const ACK_MS = 300;
const SAVE_MS = 200;
const RENEW_MS = 86400000; // of the token, while the link lasts
const TYPING_SHOWN_MS = 6000;
const DAY_MS = 86400000;
const FAILURES_NEW = 2; // WebSockets that may fail before long-poll is taken …
const FAILURES_KNOWN = 4; // … and if it is known to work here

// retry class of a close code or problem.
function classOf(why) {
  if (why.frame?.class) return why.frame.class;
  const code = why.code ?? 0;
  if (code >= 4000 && code < 4100) return 'never';
  if (code >= 4200 && code < 4300) return 'now';
  if (why.problem) return why.problem.retryable ? 'later' : 'never';
  return 'later';
}

export class ChatClient extends EventTarget {
  status = 'idle'; // connecting, live, waiting (for the next try), elsewhere (replaced), ended
  transport = null; // of the link that works: websocket, longpoll
  resets = 0; // how often all was forgotten: answers to polls from before are of no use
  problem = null; // why it ended
  receipts = { delivered: 0, read: 0 }; // of the other side
  typing = false;
  agents = new Set();

  #link = null;
  #failures = 0; // of WebSockets in a row
  #attempts = 0; // for the backoff
  #readUpTo = 0;
  #timers = new Map();

  constructor({ url, transport = 'auto', name = 'holdline', storage = globalThis.localStorage, context = {} }) {
    super();
    this.url = url;
    this.wanted = transport;
    this.context = context;
    this.store = new Store(name, storage);
    Object.assign(this, this.store.load());
  }

  get isKept() {
    return this.store.isKept;
  }

  start() {
    for (const [target, type] of [[globalThis, 'online'], [globalThis, 'pageshow'], [globalThis.document, 'visibilitychange']]) {
      target?.addEventListener(type, () => this.#wake());
    }
    this.#open();
  }

  stop() {
    this.#link?.close();
    this.#link = null;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#set('ended');
  }

  // Takes the session over again, after another tab or device had it.
  resume() {
    if (this.status !== 'elsewhere' && this.status !== 'ended') return;
    this.#attempts = 0;
    this.#open();
  }

  forget() {
    this.store.clear();
    Object.assign(this, this.store.load(), { receipts: { delivered: 0, read: 0 } });
  }

  // -- saying -------------------------------------------------------------------------------

  say(text) {
    const item = { mid: crypto.randomUUID(), seq: this.nextSeq++, body: { text }, at: Date.now() };
    this.outbox.push(item);
    this.store.saveSession(this); // before it is sent
    if (this.status === 'live') this.#link.send([this.#pubOf(item)]);
    this.#changed();
    return item;
  }

  tellTyping(on) {
    if (this.status === 'live') this.#link.send([{ t: 'typing', on }]);
  }

  // A person has read up to here.
  markRead(o = this.position) {
    if (o <= this.#readUpTo) return;
    this.#readUpTo = o;
    this.#ackSoon();
  }

  dismiss(item) {
    this.outbox = this.outbox.filter((other) => other !== item);
    this.store.saveSession(this);
    this.#changed();
  }

  #pubOf({ mid, seq, body }) {
    return { t: 'pub', mid, seq, body };
  }

  get #unconfirmed() {
    return this.outbox.filter((item) => !item.failure);
  }

  #resend(fromSeq = 0) {
    const pubs = this.#unconfirmed.filter((item) => item.seq >= fromSeq).map((item) => this.#pubOf(item));
    if (pubs.length && this.status === 'live') this.#link.send(pubs);
  }

  // -- attaching ----------------------------------------------------------------------------

  #pickTransport() {
    if (this.wanted !== 'auto') return this.wanted;
    const isKnown = Date.now() - (this.webSocketWorkedAt ?? 0) < DAY_MS;
    return this.#failures < (isKnown ? FAILURES_KNOWN : FAILURES_NEW) ? 'websocket' : 'longpoll';
  }

  #open() {
    this.#stopTimer('retry');
    this.#stopTimer('drain');
    this.#set('connecting');
    const Link = this.#pickTransport() === 'websocket' ? WebSocketLink : PollLink;
    this.#link = new Link(this);
    this.#link.open();
  }

  // For links: the first frame.
  hello() {
    const frame = { t: 'hello', v: 1, seq: this.#lowestSeq, context: this.context };
    if (this.token) frame.token = this.token;
    if (this.e) frame.pos = [this.#positionFrame];
    return frame;
  }

  get #lowestSeq() {
    return this.#unconfirmed[0]?.seq ?? this.nextSeq;
  }

  get #positionFrame() {
    return { c: this.c, e: this.e, o: this.position };
  }

  // For PollLink: everything but rid, gen and wait.
  composePoll(frames, isAttached) {
    const pubs = isAttached ? this.#unconfirmed.map((item) => this.#pubOf(item)) : [];
    const others = frames.filter((frame) => frame.t !== 'pub');
    const body = { frames: [...others, ...pubs], seq: this.#lowestSeq };
    if (this.token) body.token = this.token;
    if (this.e) body.pos = [this.#positionFrame];
    return body;
  }

  // For links: it carries both ways.
  proven(link) {
    this.transport = link.kind;
    this.#timer('healthy', HEALTHY_MS, () => (this.#attempts = 0));
    if (link.kind === 'websocket') {
      this.#failures = 0;
      this.webSocketWorkedAt = Date.now();
      this.store.saveSession(this);
    } else if (this.wanted === 'auto') {
      this.#timer('reprobe', REPROBE_MS, () => this.#reprobe());
    }
    this.#changed();
  }

  // One WebSocket; if it fails, long-poll again.
  #reprobe() {
    this.#failures -= 1;
    this.#link?.close();
    this.#open();
  }

  // For links: it is over.
  ended(link, why) {
    if (link !== this.#link) return;
    this.#link = null;
    this.transport = null;
    this.typing = false;
    this.agents.clear();
    for (const name of ['healthy', 'reprobe', 'renew', 'drain', 'ack', 'resend']) this.#stopTimer(name);
    this.#countFailure(link);
    const problem = why.problem ?? why.frame?.problem;
    const retry = classOf(why);
    if (retry === 'never') {
      this.#giveUp(problem);
      return;
    }
    const n = this.#attempts++;
    const span = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** n);
    const advised = why.frame?.retry_ms ?? problem?.retry_ms ?? 0;
    const isAtOnce = retry === 'now' && n === 0;
    const wait = isAtOnce ? 0 : Math.max(BACKOFF_MIN_MS, advised + Math.random() * span);
    this.#set('waiting');
    this.#timer('retry', wait, () => this.#open());
  }

  #countFailure(link) {
    if (link.isProven) return;
    if (link.kind === 'websocket') this.#failures += 1;
    else if (this.#attempts % 3 === 2) this.#failures = Math.max(0, this.#failures - 1); // perhaps it was the gateway
  }

  // Trying again by ourselves would not help.
  #giveUp(problem) {
    this.problem = problem;
    if (problem?.code === 'replaced') {
      this.#set('elsewhere');
    } else if (this.token && ['token_expired', 'token_invalid'].includes(problem?.code)) {
      const { outbox } = this; // what was not delivered is said in the new conversation
      this.forget();
      outbox.forEach((item, index) => (item.seq = index + 1));
      Object.assign(this, { outbox, nextSeq: outbox.length + 1 });
      this.#open();
    } else {
      this.#set('ended');
    }
  }

  // Timers lie after a sleep; the network may have changed.
  #wake() {
    if (globalThis.document?.visibilityState === 'hidden') return;
    if (this.status === 'waiting') this.#open();
    else if (this.status === 'live') this.#link.poke();
  }

  // -- receiving ----------------------------------------------------------------------------

  receive(frame) {
    const handle = this[`on_${frame.t}`];
    if (handle) handle.call(this, frame); // frames we do not know are ignored
  }

  on_welcome(frame) {
    const [{ c, verdict, e }] = frame.conv;
    this.token = frame.token;
    this.participant = frame.participant;
    const isOther = c !== this.c;
    if (isOther || verdict === 'reset') Object.assign(this, { entries: [], position: 0, resets: this.resets + 1 });
    Object.assign(this, { c, e });
    this.store.saveSession(this);
    this.store.saveEntries(this);
    this.#timer('renew', RENEW_MS, () => this.#link?.send([{ t: 'auth' }]));
    this.#set('live');
    this.#resend();
  }

  on_msg(frame) {
    if (frame.o <= this.position) return;
    if ((frame.after ?? frame.o - 1) > this.position) {
      if (this.repairing !== this.position) this.#link.send([{ t: 'hist', after: this.position }]);
      this.repairing = this.position;
      return;
    }
    if (frame.from.role === 'agent') this.typing = false;
    this.#take({ o: frame.o, mid: frame.mid, from: frame.from, ts: frame.ts, kind: frame.kind, body: frame.body });
  }

  on_pub_ok(frame) {
    const item = this.outbox.find((other) => other.mid === frame.mid);
    this.outbox = this.outbox.filter((other) => other !== item);
    if (item && frame.o > this.position && (frame.after ?? frame.o - 1) <= this.position) {
      const from = { role: 'visitor', id: this.participant };
      this.#take({ o: frame.o, mid: frame.mid, from, ts: frame.ts, kind: 'message', body: item.body });
    }
    this.store.saveSession(this);
    this.#changed();
  }

  on_pub_no(frame) {
    const item = this.outbox.find((other) => other.mid === frame.mid);
    if (!item) return;
    if (frame.problem.code === 'out_of_order' && frame.want < this.#lowestSeq) {
      // The gateway has forgotten that those before are stored. A poll tells it; a hello does, too.
      if (this.transport === 'websocket') {
        this.#link.close();
        this.#open();
      }
    } else if (frame.problem.code === 'out_of_order') {
      if (!this.#timers.has('resend')) this.#resend(frame.want);
    } else if (frame.problem.retryable) {
      this.#timer('resend', frame.problem.retry_ms ?? 1000, () => this.#resend(item.seq));
    } else {
      item.failure = frame.problem.detail;
      this.store.saveSession(this);
      this.#changed();
    }
  }

  on_error(frame) {
    if (frame.ref?.mid) this.on_pub_no({ mid: frame.ref.mid, problem: frame.problem });
  }

  on_synced({ o }) {
    this.position = Math.max(this.position, o);
    this.store.saveEntries(this);
    this.#ackSoon();
  }

  on_gap({ to }) {
    this.position = to;
  }

  on_receipt({ from, delivered, read }) {
    if (from.role !== 'agent') return;
    this.receipts.delivered = Math.max(this.receipts.delivered, delivered);
    this.receipts.read = Math.max(this.receipts.read, read);
    this.#changed();
  }

  on_typing({ from, on }) {
    if (from.role !== 'agent') return;
    this.typing = on;
    this.#timer('typing', TYPING_SHOWN_MS, () => {
      this.typing = false;
      this.#changed();
    });
    this.#changed();
  }

  on_presence({ from, on }) {
    if (on) this.agents.add(from.id);
    else this.agents.delete(from.id);
    this.#changed();
  }

  on_ping({ heads }) {
    const frames = [{ t: 'pong' }];
    if (heads.some(({ c, o }) => c === this.c && o > this.position)) frames.push({ t: 'hist', after: this.position });
    this.#link.send(frames);
  }

  on_auth_ok({ token }) {
    this.token = token ?? this.token;
    this.store.saveSession(this);
    this.#timer('renew', RENEW_MS, () => this.#link?.send([{ t: 'auth' }]));
  }

  // At a random moment of the window; without polling before.
  on_drain({ window_ms: windowMs }) {
    if (this.#timers.has('retry') || this.#timers.has('drain')) return;
    const wait = Math.random() * windowMs;
    if (this.#link.kind === 'longpoll') {
      this.#link.close();
      this.#set('waiting');
      this.#timer('retry', wait, () => this.#open());
    } else {
      this.#timer('drain', wait, () => {
        this.#link?.close();
        this.#open();
      });
    }
  }

  #take(entry) {
    this.entries.push(entry);
    this.position = entry.o;
    this.outbox = this.outbox.filter((item) => item.mid !== entry.mid || entry.from.id !== this.participant);
    this.#saveSoon();
    this.dispatchEvent(new CustomEvent('entry', { detail: entry }));
    this.#ackSoon();
    this.#changed();
  }

  #saveSoon() {
    if (!this.#timers.has('save')) this.#timer('save', SAVE_MS, () => this.store.saveEntries(this));
  }

  // One ack for all that came meanwhile.
  #ackSoon() {
    if (this.#timers.has('ack')) return;
    this.#timer('ack', ACK_MS, () => {
      if (this.status !== 'live' || !this.position) return;
      const read = Math.min(this.#readUpTo, this.position);
      this.#link.send([{ t: 'ack', c: this.c, e: this.e, o: this.position, ...(read ? { read } : {}) }]);
    });
  }

  // -- small change -------------------------------------------------------------------------

  #timer(name, ms, run) {
    this.#stopTimer(name);
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      run();
    }, ms);
    this.#timers.set(name, timer);
  }

  #stopTimer(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #set(status) {
    this.status = status;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
