// A model reader of the agents' feed, written out of docs/protocol.md: it keeps a cursor, comes
// back after every end, and checks each event. Transports: 'longpoll', 'stream', 'websocket'.
import http from 'node:http';
import WebSocket from 'ws';
import { request } from './http.mjs';
import { checkApi, checkSchema } from './openapi.mjs';
import { checkFeedFrame } from './schemas.mjs';

export const FEED_TRANSPORTS = ['longpoll', 'stream', 'websocket'];
const WAIT_MS = 10_000;
const AGAIN_MS = 20;

const positionOf = (cursor) => Number(cursor.split('.')[1]);

export class FeedReader {
  // query: more of it; doesAck: WebSocket; says: 'header' or 'frame', how it says who it is.
  constructor(gateway, { key, transport, cursor, query = '', doesAck = true, says = 'header' }) {
    Object.assign(this, { gateway, key, transport, cursor, query, doesAck, says });
    this.events = [];
    this.presence = [];
    this.ends = []; // {code, problem} of WebSockets, {status, problem} of requests
    this.waiters = new Set();
    this.isClosed = false;
  }

  get headers() {
    return { authorization: `Bearer ${this.key}` };
  }

  // From now on, unless a cursor was given; resolves when it is attached.
  async start() {
    this.cursor ??= (await request(`${this.gateway.url}/v1/events`, { headers: this.headers })).json.next_cursor;
    this.running = this.#run();
    if (this.transport !== 'longpoll') await this.until(() => this.attached > 0, 'attached');
    return this;
  }

  attached = 0;

  async #run() {
    const once = { longpoll: () => this.#poll(), stream: () => this.#stream(), websocket: () => this.#socket() };
    while (!this.isClosed && !this.failure) {
      try {
        await once[this.transport]();
      } catch (error) {
        if (error.isFinding) this.failure = error;
        else this.ends.push({ error: String(error) });
      }
      this.#wake();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #url(cursor) {
    return `/v1/events?cursor=${cursor}${this.query}`;
  }

  #take(event) {
    try {
      checkSchema('Event', event);
      const last = this.events.at(-1);
      if (last && positionOf(event.cursor) <= positionOf(last.cursor) && !this.isReset)
        throw new Error(`${event.cursor} came after ${last.cursor}`);
    } catch (error) {
      throw Object.assign(error, { isFinding: true });
    }
    this.isReset = false;
    this.events.push(event);
    this.cursor = event.cursor;
  }

  #tell(presence) {
    checkSchema('Presence', presence);
    this.presence.push(presence);
  }

  async #poll() {
    const path = `${this.#url(this.cursor)}&wait=5`;
    this.abort = new AbortController();
    this.attached += 1;
    const answer = await request(this.gateway.url + path, { headers: this.headers, signal: this.abort.signal });
    checkApi('GET', path, answer);
    if (answer.status !== 200) {
      this.ends.push({ status: answer.status, problem: answer.json });
      return;
    }
    answer.json.data.forEach((event) => this.#take(event));
    answer.json.ephemeral.forEach((presence) => this.#tell(presence));
    this.cursor = answer.json.next_cursor;
  }

  #stream() {
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers, accept: 'text/event-stream', 'last-event-id': this.cursor };
      const options = { headers, agent: false };
      this.outgoing = http.get(this.gateway.url + this.#url('start'), options, (response) => {
        let text = '';
        if (response.statusCode === 200) this.attached += 1;
        this.#wake();
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
          if (response.statusCode !== 200) return;
          try {
            text = this.#readBlocks(text);
          } catch (error) {
            reject(error);
          }
          this.#wake();
        });
        response.on('close', () => {
          if (response.statusCode !== 200)
            this.ends.push({ status: response.statusCode, problem: JSON.parse(text) });
          resolve();
        });
        response.on('error', () => {});
      });
      this.outgoing.on('error', reject);
    });
  }

  #readBlocks(text) {
    const blocks = text.split('\n\n');
    for (const block of blocks.slice(0, -1)) {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields.event === 'presence') this.#tell(JSON.parse(fields.data));
      else if (fields.data) this.#take(JSON.parse(fields.data));
      if (fields.id) this.cursor = fields.id;
    }
    return blocks.at(-1);
  }

  #socket() {
    return new Promise((resolve, reject) => {
      const url = this.gateway.url.replace(/^http/, 'ws') + this.#url(this.cursor);
      const headers = this.says === 'header' ? this.headers : {};
      const socket = new WebSocket(url, 'holdline.events.v1', { headers });
      let problem;
      this.socket = socket;
      socket.on('open', () => {
        if (this.says === 'frame') socket.send(JSON.stringify({ t: 'auth', token: this.key }));
      });
      socket.on('message', (data) => {
        try {
          const frame = JSON.parse(String(data));
          checkFeedFrame(frame);
          if (frame.t === 'error') problem = frame.problem;
          else this.#frame(socket, frame);
        } catch (error) {
          reject(error);
        }
        this.#wake();
      });
      socket.on('close', (code) => {
        this.ends.push({ code, problem });
        resolve();
      });
      socket.on('error', () => {});
    });
  }

  #frame(socket, frame) {
    if (frame.t === 'ping') socket.send('{"t":"pong"}');
    if (frame.t === 'presence') this.#tell(frame.presence);
    if (frame.t !== 'events') return;
    this.attached += 1;
    frame.data.forEach((event) => this.#take(event));
    this.cursor = frame.next_cursor;
    if (this.doesAck) socket.send(JSON.stringify({ t: 'ack', cursor: this.cursor }));
  }

  // The connection is cut without a word; it comes back by itself.
  drop() {
    this.abort?.abort();
    this.outgoing?.destroy();
    this.socket?.terminate();
  }

  of(conversation) {
    return this.events.filter((event) => event.conversation === conversation);
  }

  #wake() {
    for (const check of [...this.waiters]) check();
  }

  until(predicate, what, ms = WAIT_MS) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(check);
        reject(this.failure ?? new Error(`${what}: not within ${ms} ms; ends: ${JSON.stringify(this.ends.slice(-3))}`));
      }, ms);
      const check = () => {
        const isDone = this.failure || predicate();
        if (!isDone) return;
        clearTimeout(timer);
        this.waiters.delete(check);
        if (this.failure) reject(this.failure);
        else resolve();
      };
      this.waiters.add(check);
      check();
    });
  }

  async close() {
    this.isClosed = true;
    this.drop();
    await this.running;
    if (this.failure) throw this.failure;
  }
}
