// A link as the cases see it: frames in order of arrival, taken one by one.
import WebSocket from 'ws';
import { request } from '../support/http.mjs';

const DEADLINE_MS = 8000;
const SUPERSEDED_MS = 300;

class Inbox {
  frames = [];
  waiting = null;
  why = null; // how the link ended

  constructor(deadlineMs = DEADLINE_MS) {
    this.deadlineMs = deadlineMs;
  }

  put(frame) {
    this.frames.push(frame);
    this.waiting?.();
  }

  finish(why) {
    this.why ??= why;
    this.waiting?.();
  }

  // Resolves when take() gives something else than undefined.
  wait(take, what) {
    return new Promise((resolve, reject) => {
      const settle = (how, value) => {
        clearTimeout(timer);
        this.waiting = null;
        how(value);
      };
      const look = () => {
        const value = take();
        if (value !== undefined) settle(resolve, value);
        else if (this.why) settle(reject, new Error(`${what}: the link ended: ${JSON.stringify(this.why)}`));
      };
      const timer = setTimeout(() => settle(reject, new Error(`${what}: nothing that fits came in time`)), this.deadlineMs);
      this.waiting = look;
      look();
    });
  }
}

class Session {
  constructor(url, { origin, deadlineMs } = {}) {
    this.inbox = new Inbox(deadlineMs);
    this.url = url;
    this.headers = origin ? { origin } : {};
  }

  // The next frame that fits; those before it are skipped.
  next(fits) {
    return this.inbox.wait(() => {
      while (this.inbox.frames.length) {
        const frame = this.inbox.frames.shift();
        if (fits(frame)) return frame;
      }
      return undefined;
    }, 'next frame');
  }

  end() {
    return this.inbox.wait(() => this.inbox.why ?? undefined, 'end');
  }
}

export class WebSocketSession extends Session {
  #connect() {
    this.socket = new WebSocket(this.url.replace(/^http/, 'ws') + '/v1/ws', 'holdline.v1', {
      headers: this.headers,
      rejectUnauthorized: false,
    });
    this.socket.on('message', (data) => {
      for (const frame of [JSON.parse(String(data))].flat()) {
        if (frame.t === 'bye') this.bye = frame;
        if (frame.t === 'ping') this.socket.send('{"t":"pong"}');
        this.inbox.put(frame);
      }
    });
    this.socket.on('close', (code) => this.inbox.finish({ code, problem: this.bye?.problem?.code ?? null }));
    return new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          let problem = null;
          try {
            problem = JSON.parse(text).code;
          } catch {
            problem = text;
          }
          this.inbox.finish({ status: response.statusCode, problem });
          resolve();
        });
      });
      this.socket.on('error', reject);
    });
  }

  async open(hello) {
    await this.#connect();
    if (hello) await this.send(hello);
  }

  async openRefused(hello) {
    await this.open(this.inbox.why ? null : hello);
    return this.end();
  }

  async send(frames) {
    this.sendText(JSON.stringify(frames));
  }

  sendText(text) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  async drop() {
    this.socket?.terminate();
  }
}

export class PollSession extends Session {
  rid = 0;
  queue = [];
  position = null;

  async open(hello) {
    this.hello = hello;
    this.token = hello?.token;
    this.#poll(hello ? [hello] : []);
  }

  async openRefused(hello) {
    await this.open(hello);
    return this.end();
  }

  async #poll(frames) {
    const body = { rid: ++this.rid, wait_ms: 25_000, frames };
    if (this.gen) body.gen = this.gen;
    if (this.token) body.token = this.token;
    if (this.position) body.pos = [this.position];
    const { rid } = body;
    try {
      this.controller = new AbortController();
      const answer = await request(this.url + '/v1/poll', { body, headers: this.headers, signal: this.controller.signal });
      if (this.isOver) return;
      if (answer.json?.code === 'replaced' && this.gen !== body.gen) {
        answer.status = 200; // by a later poll of our own
        answer.json = { superseded: true };
      }
      if (answer.status !== 200) {
        this.inbox.finish({ status: answer.status, problem: answer.json?.code ?? answer.text });
        return;
      }
      this.#take(answer.json);
      if (answer.json.superseded && rid === this.rid) {
        this.queue.unshift(...frames);
        if (this.gen === body.gen) await new Promise((resolve) => setTimeout(resolve, SUPERSEDED_MS));
      }
      if (rid === this.rid && !this.isOver) this.#poll(this.queue.splice(0));
    } catch (error) {
      if (!this.isOver) this.inbox.finish({ error: error.message });
    }
  }

  #take({ gen, frames, superseded }) {
    if (superseded) return;
    const isFirst = !this.gen;
    this.gen = gen;
    for (const frame of frames) {
      this.#follow(frame);
      this.inbox.put(frame);
      if (frame.t === 'bye') {
        this.isOver = true;
        this.inbox.finish({ code: frame.code, problem: frame.problem.code });
      }
    }
    if (isFirst) this.isAttached = true;
  }

  // The position rule, for pos.
  #follow(frame) {
    if (frame.t === 'welcome' && frame.token) {
      this.token = frame.token;
      const [{ c, e, verdict }] = frame.conv;
      const told = this.hello?.pos?.find((position) => position.c === c)?.o ?? 0;
      this.position = { c, e, o: verdict === 'reset' ? 0 : told };
    } else if (['msg', 'pub_ok'].includes(frame.t) && this.position?.c === frame.c) {
      const { o } = this.position;
      if (frame.o > o && (frame.after ?? frame.o - 1) <= o) this.position.o = frame.o;
    } else if (frame.t === 'synced' && this.position?.c === frame.c) {
      this.position.o = Math.max(this.position.o, frame.o);
    }
  }

  async send(frames) {
    this.queue.push(...[frames].flat());
    if (!this.isAttached) await this.inbox.wait(() => (this.isAttached ? true : undefined), 'welcome');
    if (this.queue.length && !this.isOver) this.#poll(this.queue.splice(0));
  }

  async drop() {
    this.isOver = true;
    this.controller?.abort();
  }
}
