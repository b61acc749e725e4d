// A model client: the protocol of docs/protocol.md, written out of that page and not out of the
// gateway's sources. Every frame and every poll is validated. Transports: 'websocket',
// 'longpoll', or 'mixed', which picks one anew, by a seed, for each frame it sends.
import { randomUUID } from 'node:crypto';
import { PollLink, WebSocketLink } from './links.mjs';

const WAIT_MS = 20_000;
const RECONNECT_MS = 20;

function seeded(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export class Client {
  // isPersistent: comes back by itself until close(). record: is given lines of a history.
  constructor(gateway, options = {}) {
    const { transport = 'websocket', key, seed = 1, isPersistent = false, doesAck = true } = options;
    Object.assign(this, { gateway, transport, isPersistent, doesAck });
    this.record = options.record ?? (() => {});
    this.site = options.site;
    this.headers = options.headers ?? {};
    this.more = options.hello ?? {}; // more members of each hello
    this.isAgent = Boolean(key);
    this.token = key;
    this.random = seeded(seed);
    this.positions = new Map(); // c -> {e, o}
    this.entries = new Map(); // c -> [msg or own]
    this.synced = new Map(); // c -> times
    this.outbox = []; // {frame, resolve}
    this.frames = []; // everything received
    this.waiters = new Set();
    this.nextSeq = 1;
    this.link = null;
    this.welcome = null;
    this.isClosed = false;
    this.switches = 0;
  }

  get url() {
    return this.gateway.url;
  }

  get position() {
    return this.positions.get(this.c)?.o ?? 0;
  }

  get texts() {
    return (this.entries.get(this.c) ?? []).map((e) => e.body.text);
  }

  // -- attaching ----------------------------------------------------------------------------

  #pickTransport() {
    if (this.transport !== 'mixed') return this.transport;
    return this.random() < 0.5 ? 'websocket' : 'longpoll';
  }

  hello() {
    const frame = { t: 'hello', v: 1, ...this.more };
    if (this.site) frame.site = this.site;
    if (this.token) frame.token = this.token;
    if (this.positions.size) frame.pos = this.pos();
    frame.seq = this.outbox.find((item) => item.frame.seq)?.frame.seq ?? this.nextSeq;
    return frame;
  }

  pos() {
    return [...this.positions]
      .filter(([, { e }]) => e)
      .map(([c, { e, o }]) => ({ c, e, o }));
  }

  lowestSeq() {
    return this.outbox.find((item) => item.frame.seq)?.frame.seq ?? this.nextSeq;
  }

  // Opens a link and waits for its welcome, or throws what it was refused with.
  async attach(kind = this.#pickTransport()) {
    this.link?.drop();
    const from = this.frames.length;
    const sent = new Map(this.positions);
    const Link = kind === 'websocket' ? WebSocketLink : PollLink;
    const link = new Link(this);
    this.link = link;
    this.sentPositions = sent;
    await link.open();
    const frame = await this.waitFor((f) => f.t === 'welcome' || f.t === 'bye' || f.t === 'error', { from, link });
    if (frame.t !== 'welcome') throw Object.assign(new Error(frame.problem.code), { problem: frame.problem, frame });
    return frame;
  }

  // The same, until it works. One attempt at a time, whoever asks.
  attachSomehow() {
    this.attaching ??= this.#attachUntilItWorks().finally(() => (this.attaching = null));
    return this.attaching;
  }

  async #attachUntilItWorks() {
    for (;;) {
      try {
        return await this.attach();
      } catch (error) {
        if (this.isClosed) return null;
        if (error.problem && !error.problem.retryable) throw Object.assign(error, { client: this.name, frames: this.frames.slice(-6) });
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    }
  }

  // An attempt under way may have succeeded just before the link ended.
  async #comeBack() {
    do await this.attachSomehow();
    while (!this.link && !this.isClosed);
  }

  async connect() {
    return this.isPersistent ? this.attachSomehow() : this.attach();
  }

  async switchTo(kind) {
    this.switches += 1;
    return this.attach(kind);
  }

  // -- receiving ----------------------------------------------------------------------------

  // Called by links, in order.
  receive(frame) {
    this.frames.push(frame);
    const handle = this[`on_${frame.t}`];
    if (handle) handle.call(this, frame);
    for (const waiter of [...this.waiters]) waiter.look(frame);
  }

  on_welcome(frame) {
    this.welcome = frame;
    if (frame.token) this.token = frame.token;
    if (!this.isAgent) this.c = frame.conv[0].c;
    for (const { c, verdict, e, head } of frame.conv) {
      const had = this.sentPositions?.get(c);
      this.record({ op: 'verdict', c, verdict, pos: had?.o ?? 0, pe: had?.e ?? '', e, head });
      if (verdict === 'reset') {
        this.entries.set(c, []);
        this.positions.set(c, { e, o: 0 });
      } else {
        this.positions.set(c, { e, o: this.positions.get(c)?.o ?? 0 });
      }
    }
    this.#flush();
  }

  #take(c, e, o, entry) {
    this.positions.set(c, { e, o });
    if (!this.entries.has(c)) this.entries.set(c, []);
    this.entries.get(c).push({ o, ...entry });
  }

  on_msg(frame) {
    const { c, e, o } = frame;
    const position = this.positions.get(c)?.o ?? 0;
    if (o <= position) return;
    if ((frame.after ?? o - 1) > position) {
      this.holes = (this.holes ?? 0) + 1;
      if (this.repairing !== position) this.#push({ t: 'hist', c, after: position });
      this.repairing = position;
      return;
    }
    this.repairing = undefined;
    const own = this.outbox.find((item) => item.frame.mid === frame.mid && frame.from.id === this.welcome.participant);
    this.#take(c, e, o, { mid: frame.mid, from: frame.from, kind: frame.kind, body: frame.body, isOwn: Boolean(own) });
    const after = frame.after === undefined ? {} : { after: frame.after };
    this.record({ op: 'deliver', c, e, o, mid: frame.mid, author: frame.from.id, body: frame.body.text, kind: frame.kind, ...after });
    this.link?.noteDelivery(c, e, o);
  }

  on_pub_ok(frame) {
    const { c, e, o, mid } = frame;
    const after = frame.after === undefined ? {} : { after: frame.after };
    this.record({ op: 'acked', c, mid, e, o, ...after });
    const index = this.outbox.findIndex((item) => item.frame.mid === mid);
    const position = this.positions.get(c)?.o ?? 0;
    const item = index < 0 ? null : this.outbox.splice(index, 1)[0];
    if (o > position && (frame.after ?? o - 1) <= position) {
      const body = item?.frame.body ?? {};
      this.#take(c, e, o, { mid, from: { id: this.welcome.participant }, kind: item?.frame.kind ?? 'message', body, isOwn: true });
      this.link?.noteDelivery(c, e, o);
    }
    item?.resolve(frame);
  }

  on_pub_no(frame) {
    const index = this.outbox.findIndex((item) => item.frame.mid === frame.mid);
    if (index < 0) return;
    this.record({ op: 'refused', c: this.c, mid: frame.mid, code: frame.problem.code });
    if (this.isPersistent && frame.problem.retryable) {
      this.#resendLater(frame.problem.retry_ms ?? RECONNECT_MS);
      return;
    }
    this.outbox.splice(index, 1)[0].resolve(frame);
  }

  #resendLater(ms) {
    if (this.resendTimer) return;
    this.resendTimer = setTimeout(() => {
      this.resendTimer = null;
      if (this.welcome && this.link?.isOpen) this.#flush();
    }, ms);
  }

  on_synced({ c, o }) {
    const had = this.positions.get(c);
    if (had && o > had.o) this.positions.set(c, { ...had, o });
    this.synced.set(c, (this.synced.get(c) ?? 0) + 1);
    this.record({ op: 'synced', c, o });
  }

  on_gap({ c, e, from, to, why }) {
    this.positions.set(c, { e, o: to });
    this.record({ op: 'gap', c, from, to, why });
  }

  on_auth_ok({ token }) {
    if (token) this.token = token;
  }

  on_ping(frame) {
    this.#push({ t: 'pong' });
    for (const { c, o } of frame.heads) {
      const position = this.positions.get(c)?.o ?? 0;
      if (o > position && this.synced.get(c)) this.#push({ t: 'hist', c, after: position });
    }
  }

  // A link ended without our doing. `why`: {bye} or {problem} or {error} or {code}.
  onEnd(link, why) {
    if (link !== this.link) return;
    this.ended = why;
    for (const waiter of [...this.waiters]) waiter.end(why);
    if (this.isPersistent && !this.isClosed) {
      this.link = null;
      this.#comeBack().catch((error) => (this.failure = error));
    }
  }

  // -- sending ------------------------------------------------------------------------------

  #push(frame) {
    this.link?.send([frame]);
  }

  // Everything unconfirmed, again, in order.
  #flush() {
    if (this.outbox.length && this.link) this.link.send(this.outbox.map((item) => item.frame));
  }

  // A frame as it is. In mixed mode perhaps over another link than the last.
  async send(frame) {
    await this.#maybeSwitch();
    this.#push(frame);
  }

  async #maybeSwitch() {
    if (this.transport !== 'mixed' || this.isSwitching) return;
    const kind = this.#pickTransport();
    if (!this.link?.isOpen || kind === this.link.kind) return;
    this.isSwitching = true;
    try {
      await (this.isPersistent ? this.attachSomehow() : this.switchTo(kind));
    } finally {
      this.isSwitching = false;
    }
  }

  // Says something; resolves to pub_ok or pub_no.
  publish(text, options = {}) {
    const { seq = this.nextSeq++, mid = randomUUID(), ...more } = options;
    const body = typeof text === 'string' ? { text } : text;
    const frame = { t: 'pub', mid, ...(seq ? { seq } : {}), ...more, body };
    if (this.isAgent && !frame.c) frame.c = this.c;
    return this.publishFrame(frame);
  }

  async publishFrame(frame) {
    this.record({ op: 'send', c: frame.c ?? this.c, mid: frame.mid, body: frame.body.text });
    const answered = new Promise((resolve) => this.outbox.push({ frame, resolve }));
    const before = this.link;
    await this.#maybeSwitch();
    if (this.link?.isOpen && this.link === before) this.#push(frame);
    return answered;
  }

  async subscribe(c, after = 0) {
    this.c ??= c;
    const times = this.synced.get(c) ?? 0;
    await this.send({ t: 'sub', c, after });
    await this.until(() => (this.synced.get(c) ?? 0) > times, `synced of ${c}`);
  }

  // -- waiting ------------------------------------------------------------------------------

  // The first frame received at or after index `from` that fits. Rejects when the link ends.
  waitFor(predicate, { from = 0, ms = WAIT_MS, link = null } = {}) {
    const there = this.frames.slice(from).find(predicate);
    if (there) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        settle(value);
      };
      const waiter = {
        look: (frame) => predicate(frame) && done(resolve, frame),
        end: (why) => {
          const problem = why.problem ?? why.bye?.problem;
          const error = new Error(`link ended: ${problem?.code ?? JSON.stringify(why)}`);
          if (!this.isPersistent || link) done(reject, Object.assign(error, { problem, why }));
        },
      };
      const timer = setTimeout(() => {
        const last = JSON.stringify(this.frames.slice(-5));
        done(reject, new Error(`nothing that fits came within ${ms} ms; last frames: ${last}`));
      }, ms);
      this.waiters.add(waiter);
    });
  }

  waitForType(t, options) {
    return this.waitFor((frame) => frame.t === t, options);
  }

  // Until a condition holds, looked at after each frame.
  async until(condition, what = 'condition', ms = WAIT_MS) {
    if (condition()) return;
    try {
      await this.waitFor(() => condition(), { from: this.frames.length, ms });
    } catch (error) {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    }
  }

  level(o, ms) {
    return this.until(() => this.position >= o, `position ${o} (is ${this.position})`, ms);
  }

  // Waits for the link's end: {bye, code} of a WebSocket, {problem} or {bye} of a poll.
  end(ms = WAIT_MS) {
    if (this.ended) return Promise.resolve(this.ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the link did not end')), ms);
      const waiter = {
        look: () => {},
        end: (why) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(why);
        },
      };
      this.waiters.add(waiter);
    });
  }

  // Goes away without a word, as a phone in a tunnel does.
  drop() {
    this.link?.drop();
    this.link = null;
  }

  async close() {
    this.isClosed = true;
    clearTimeout(this.resendTimer);
    this.drop();
  }
}
