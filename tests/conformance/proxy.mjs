// A gateway that is broken on purpose: passes everything on, and spoils frames on their way.
import http from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { request } from '../support/http.mjs';

const renumber = (frame) => (['msg', 'pub_ok'].includes(frame.t) ? { ...frame, o: frame.o + 1 } : frame);

// Each is given a frame of the gateway and gives what the client gets: a frame or nothing.
export const FAULTS = {
  'passes everything on': (frame) => frame,
  'drops confirmations': (frame) => (frame.t === 'pub_ok' ? null : frame),
  'renumbers offsets': renumber,
  'calls repeats new': (frame) => (frame.t === 'pub_ok' ? { ...frame, dup: false } : frame),
  'always says resumed': (frame) =>
    frame.t === 'welcome' ? { ...frame, conv: frame.conv.map((c) => ({ ...c, verdict: 'resumed' })) } : frame,
  'loses entries': (frame) => (frame.t === 'msg' ? null : frame),
  'hides errors': (frame) => (frame.t === 'error' || frame.t === 'pub_no' ? null : frame),
  'forgets the end of a replay': (frame) => (frame.t === 'synced' ? null : frame),
};

export class BrokenProxy {
  constructor(target, spoil) {
    this.target = target;
    this.spoil = spoil;
    this.server = http.createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
    const sockets = new WebSocketServer({ server: this.server, path: '/v1/ws' });
    sockets.on('connection', (client, incoming) => this.#join(client, incoming));
    sockets.on('error', () => {});
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #spoilAll(frames) {
    return frames.map(this.spoil).filter(Boolean);
  }

  #join(client, incoming) {
    const headers = incoming.headers.origin ? { origin: incoming.headers.origin } : {};
    const server = new WebSocket(this.target.replace(/^http/, 'ws') + '/v1/ws', 'holdline.v1', { headers });
    const early = [];
    client.on('message', (data) => (server.readyState === WebSocket.OPEN ? server.send(String(data)) : early.push(String(data))));
    server.on('open', () => early.forEach((text) => server.send(text)));
    server.on('message', (data) => {
      const frames = this.#spoilAll([JSON.parse(String(data))].flat());
      if (frames.length) client.send(JSON.stringify(frames));
    });
    server.on('unexpected-response', () => client.terminate());
    server.on('error', () => client.terminate());
    server.on('close', (code) => (code >= 4000 ? client.close(code) : client.terminate()));
    client.on('close', () => server.terminate());
    client.on('error', () => {});
  }

  async #pass(incoming, outgoing) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const stop = new AbortController();
    outgoing.on('close', () => stop.abort());
    const headers = { ...incoming.headers };
    delete headers.host;
    delete headers.connection;
    const body = chunks.length ? Buffer.concat(chunks) : undefined;
    try {
      const answer = await request(this.target + incoming.url, { method: incoming.method, headers, body, signal: stop.signal });
      let { text } = answer;
      if (incoming.url === '/v1/poll' && answer.status === 200) {
        text = JSON.stringify({ ...answer.json, frames: this.#spoilAll(answer.json.frames) });
      }
      const kept = { ...answer.headers, 'content-length': Buffer.byteLength(text) };
      outgoing.writeHead(answer.status, kept);
      outgoing.end(text);
    } catch {
      outgoing.destroy();
    }
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
