// The two ways frames travel. A link belongs to one client and one attachment.
import WebSocket from 'ws';
import { request } from './http.mjs';
import { checkClientFrame, checkPollAnswer, checkPollRequest, checkProblem, checkServerFrame } from './schemas.mjs';

const POLL_WAIT_MS = 25_000;
const SUPERSEDED_MS = 300;

export class WebSocketLink {
  kind = 'websocket';
  isOpen = false;
  isDropped = false;

  constructor(client) {
    this.client = client;
  }

  open() {
    const url = this.client.url.replace(/^http/, 'ws') + '/v1/ws';
    const options = { headers: this.client.headers, rejectUnauthorized: false };
    this.socket = new WebSocket(url, 'holdline.v1', options);
    this.socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.socket.on('close', (code, reason) => this.#end({ code, reason: String(reason), bye: this.bye }));
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => {
        this.isOpen = true;
        this.send([this.client.hello()]);
        resolve();
      });
      this.socket.once('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          const problem = JSON.parse(text);
          checkProblem(problem);
          reject(Object.assign(new Error(problem.code), { problem, status: response.statusCode, headers: response.headers }));
        });
      });
      this.socket.on('error', reject);
    });
  }

  #receive(data, isBinary) {
    if (this.isDropped) return;
    if (isBinary) throw new Error('a binary message came');
    const message = JSON.parse(String(data));
    for (const frame of Array.isArray(message) ? message : [message]) {
      checkServerFrame(frame);
      if (frame.t === 'bye') this.bye = frame;
      this.client.receive(frame);
    }
  }

  #end(why) {
    this.isOpen = false;
    if (!this.isDropped) this.client.onEnd(this, why);
  }

  send(frames) {
    frames.forEach(checkClientFrame);
    this.sendRaw(JSON.stringify(frames.length === 1 ? frames[0] : frames));
  }

  sendRaw(data, options) {
    if (this.isOpen) this.socket.send(data, options);
  }

  // One ack for all that came in this turn.
  noteDelivery(c, e, o) {
    if (!this.client.doesAck) return;
    this.acks ??= new Map();
    if (this.acks.size === 0) setImmediate(() => this.#ack());
    this.acks.set(c, { t: 'ack', c, e, o });
  }

  #ack() {
    const acks = [...this.acks.values()];
    this.acks.clear();
    this.send(acks);
  }

  drop() {
    this.isDropped = true;
    this.isOpen = false;
    this.socket?.terminate();
  }
}

export class PollLink {
  kind = 'longpoll';
  isOpen = false;
  rid = 0;
  queued = [];
  controllers = new Set();

  constructor(client) {
    this.client = client;
  }

  async open() {
    this.isOpen = true;
    this.#poll([this.client.hello()]);
  }

  // The body of the next poll: what is new, and every pub that is not confirmed.
  compose(frames) {
    const { client } = this;
    const pubs = this.gen ? client.outbox.map((item) => item.frame) : [];
    const mids = new Set(pubs.map((pub) => pub.mid));
    const others = frames.filter((frame) => !mids.has(frame.mid));
    this.rid = client.rid = Math.max(client.rid ?? 0, Date.now()) + 1;
    const body = { rid: this.rid, wait_ms: POLL_WAIT_MS, frames: [...others, ...pubs] };
    if (this.gen) body.gen = this.gen;
    if (client.token) body.token = client.token;
    if (client.doesAck && client.positions.size) body.pos = client.pos();
    body.seq = client.lowestSeq();
    return body;
  }

  async #poll(frames) {
    const body = this.compose(frames);
    const { rid, gen } = body;
    this.latest = rid;
    let answer;
    try {
      answer = await this.post(body);
    } catch (error) {
      if (this.isOpen) this.#end({ error });
      return;
    }
    if (!this.isOpen) return;
    const isOutdated = answer.json.code === 'replaced' && this.gen !== gen; // by an attachment of ours
    if (answer.status !== 200 && !isOutdated) {
      this.#end({ problem: answer.json, status: answer.status });
      return;
    }
    if (isOutdated) answer.json = { rid, superseded: true, frames: [] };
    if (answer.json.rid !== rid) throw new Error(`answer ${answer.json.rid} to poll ${rid}`);
    this.#take(answer.json);
    if (answer.json.superseded && this.latest === rid) {
      this.queued.unshift(...frames);
      await this.#generationAfter(gen);
    }
    if (this.isOpen && this.latest === rid && !this.isDraining) this.#poll(this.queued.splice(0));
  }

  // Until another answer has brought a newer generation, or for a moment.
  #generationAfter(gen) {
    if (this.gen !== gen) return Promise.resolve();
    return new Promise((resolve) => {
      this.onGeneration = resolve;
      setTimeout(resolve, SUPERSEDED_MS);
    });
  }

  #take(answer) {
    if (answer.superseded && answer.frames.length) throw new Error('a superseded answer has frames');
    if (!answer.superseded && this.gen !== answer.gen) {
      this.gen = answer.gen;
      this.onGeneration?.();
    }
    for (const frame of answer.frames) {
      if (frame.t === 'bye') this.bye = frame;
      if (frame.t === 'drain') this.isDraining = true;
      this.client.receive(frame);
      if (!this.isOpen) return;
    }
    if (this.bye) this.#end({ bye: this.bye, code: this.bye.code });
  }

  async post(body, { isChecked = true } = {}) {
    if (isChecked) checkPollRequest(body);
    const controller = new AbortController();
    this.controllers.add(controller);
    try {
      const { headers, url } = this.client;
      const answer = await request(url + '/v1/poll', { body, headers, signal: controller.signal });
      if (answer.status === 200) checkPollAnswer(answer.json);
      else checkProblem(answer.json);
      return answer;
    } finally {
      this.controllers.delete(controller);
    }
  }

  #end(why) {
    this.isOpen = false;
    this.client.onEnd(this, why);
  }

  // Sent with a poll that displaces the one that waits; until the welcome is there, later.
  send(frames) {
    if (!this.isOpen) return;
    this.queued.push(...frames);
    if (!this.gen || this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      if (this.isOpen && this.queued.length) this.#poll(this.queued.splice(0));
    });
  }

  sendRaw(text) {
    return request(this.client.url + '/v1/poll', { body: text, headers: this.client.headers });
  }

  noteDelivery() {} // the next poll's pos says it

  drop() {
    this.isOpen = false;
    for (const controller of this.controllers) controller.abort();
  }
}
