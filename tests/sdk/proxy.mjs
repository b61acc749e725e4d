// What lies between a browser and a gateway on a bad day. Serves the test page itself, so that the
// page's origin is the proxy's. `weather` decides, per connection and message, what happens;
// without one everything passes.
import http from 'node:http';
import net from 'node:net';
import { FrameCutter } from './wsframes.mjs';

export class Proxy {
  isDown = false; // nothing gets through, and what is open is cut
  webSocket = 'open'; // or refused, swallowed
  weather = null;
  pages = {}; // path -> [type, text]
  counts = {};
  #sockets = new Set();
  #timers = new Set();

  constructor(gateway) {
    this.gateway = gateway;
    this.server = http.createServer((request, response) => this.#serve(request, response));
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.server.on('connection', (socket) => this.#track(socket));
    this.server.keepAliveTimeout = 500;
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  cut() {
    this.count('cut');
    for (const socket of this.#sockets) socket.destroy();
  }

  setDown(isDown) {
    this.isDown = isDown;
    if (isDown) this.cut();
  }

  count(what) {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #track(socket) {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }

  later(ms, run) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  // -- requests ---------------------------------------------------------------------------------

  #serve(request, response) {
    const page = this.pages[request.url.split('?')[0]];
    if (page) { // the page itself comes always: what is tested begins after it
      response.writeHead(200, { 'content-type': page[0], 'cache-control': 'no-store' });
      response.end(page[1]);
      return;
    }
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => this.#forward(request, response, Buffer.concat(chunks)));
  }

  #forward(request, response, body) {
    const plan = this.weather?.request() ?? {};
    for (const fault of Object.keys(plan)) this.count(`request ${fault}`);
    if (plan.drop) {
      request.socket.destroy();
      return;
    }
    if (plan.garbage) {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<h1>Bad gateway</h1>');
      return;
    }
    const answer = (status, headers, text) => {
      if (plan.hang || response.destroyed) return;
      if (plan.dropAnswer) request.socket.destroy();
      else response.writeHead(status, headers).end(text);
    };
    this.later(plan.delay ?? 0, () => this.#ask(request, body, (...all) => this.later(plan.delayAnswer ?? 0, () => answer(...all)), () => request.socket.destroy()));
    if (plan.twice) this.later(plan.twice, () => this.#ask(request, body, () => {}, () => {}));
  }

  #ask(request, body, onAnswer, onError) {
    const { hostname, port } = new URL(this.gateway.url);
    const options = { hostname, port, path: request.url, method: request.method, headers: request.headers, agent: false };
    const up = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => onAnswer(response.statusCode, response.headers, Buffer.concat(chunks)));
      response.on('error', onError);
    });
    up.on('error', onError);
    up.end(body);
    request.once('close', () => request.destroyed && request.socket.destroyed && up.destroy());
  }

  // -- WebSockets -------------------------------------------------------------------------------

  #upgrade(request, socket, head) {
    this.#track(socket);
    if (this.isDown || this.webSocket === 'refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(this.gateway.url);
    const up = net.connect(Number(port), hostname);
    this.#track(up);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i];
      if (name.toLowerCase() !== 'sec-websocket-extensions') lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
    }
    up.write(lines.join('\r\n') + '\r\n\r\n');
    up.write(head);
    socket.on('close', () => up.destroy());
    up.on('close', () => socket.destroy());
    const isSwallowed = this.webSocket === 'swallowed';
    let isOpen = false;
    const tunnel = new Tunnel(this, socket, up);
    const cutter = new FrameCutter();
    up.on('data', (chunk) => {
      let rest = chunk;
      if (!isOpen) { // the handshake's answer ends in one chunk, as the gateway writes it
        const end = chunk.indexOf('\r\n\r\n') + 4;
        socket.write(chunk.subarray(0, end));
        isOpen = true;
        rest = chunk.subarray(end);
      }
      if (!isSwallowed) for (const frame of cutter.cut(rest)) tunnel.down(frame);
    });
    const upward = new FrameCutter();
    socket.on('data', (chunk) => {
      if (!isSwallowed) for (const frame of upward.cut(chunk)) tunnel.up(frame);
    });
  }
}

// One WebSocket: messages of both directions, each through the weather, in their order.
class Tunnel {
  #replays = 1; // that may be under way; what is lost of one, its end would hide
  #isDeafUp = false;
  #isDeafDown = false;
  #last = { up: Promise.resolve(), down: Promise.resolve() }; // message of a direction

  constructor(proxy, socket, gateway) {
    Object.assign(this, { proxy, socket, gateway });
  }

  up(frame) {
    const plan = this.#plan(frame, 'up');
    if (this.#isDeafUp) return;
    if (frame.text.includes('"t":"hist"')) this.#replays += plan.twice ? 2 : 1;
    this.#pass('up', this.gateway, frame, plan.delay);
    if (plan.twice && !frame.text.includes('"t":"hello"')) this.#pass('up', this.gateway, frame, plan.delay);
  }

  down(frame) {
    const plan = this.#plan(frame, 'down');
    const mayDrop = this.#replays <= 0 && /"t":"(msg|pub_ok)"/.test(frame.text);
    if (frame.text.includes('"t":"synced"')) this.#replays -= 1;
    if (this.#isDeafDown || (plan.drop && mayDrop)) return;
    this.#pass('down', this.socket, frame, plan.delay);
    if (plan.twice && !/"t":"(welcome|bye)"/.test(frame.text)) this.#pass('down', this.socket, frame, plan.delay);
  }

  #plan(frame, direction) {
    const plan = this.proxy.weather?.message(direction) ?? {};
    for (const fault of Object.keys(plan)) this.proxy.count(`message ${fault}`);
    if (plan.halfOpen === 'up') this.#isDeafUp = true;
    if (plan.halfOpen === 'down') this.#isDeafDown = true;
    if (plan.cut) this.socket.destroy();
    return plan;
  }

  // Later ones wait for earlier ones, as in TCP.
  #pass(direction, target, { raw }, delay = 0) {
    const due = new Promise((resolve) => (delay ? this.proxy.later(delay, resolve) : resolve()));
    this.#last[direction] = this.#last[direction].then(() => due).then(() => target.write(raw));
  }
}

// Weather by a seed: episodes of a few seconds, each with odds of its own.
export class Weather {
  #random;
  odds = {};
  episodes = 0;

  constructor(proxy, random, kinds = KINDS) {
    this.proxy = proxy;
    this.#random = random;
    this.kinds = kinds;
  }

  start() {
    this.proxy.weather = this;
    this.#episode();
  }

  // From now on everything passes.
  end() {
    this.isOver = true;
    this.proxy.weather = null;
    this.proxy.webSocket = 'open';
    this.proxy.setDown(false);
  }

  #episode() {
    if (this.isOver) return;
    const { proxy } = this;
    this.episodes += 1;
    const kind = this.kinds[Math.floor(this.#random() * this.kinds.length)];
    this.kind = kind;
    proxy.count(`episode ${kind}`);
    proxy.webSocket = kind === 'refused' || kind === 'swallowed' ? kind : 'open';
    this.odds = ODDS[kind] ?? ODDS.rough;
    if (kind === 'refused' || kind === 'swallowed' || kind === 'down') proxy.cut();
    proxy.setDown(kind === 'down');
    const ms = kind === 'down' ? 500 + this.#random() * 2500 : 1500 + this.#random() * 5000;
    proxy.later(ms, () => this.#episode());
  }

  #draw(name) {
    return this.#random() < (this.odds[name] ?? 0);
  }

  #delay() {
    return Math.floor(this.#random() ** 2 * (this.odds.delayMs ?? 40));
  }

  request() {
    if (this.#draw('drop')) return { drop: true };
    if (this.#draw('garbage')) return { garbage: true };
    const plan = {};
    if (this.#draw('dropAnswer')) plan.dropAnswer = true;
    if (this.#draw('hang')) plan.hang = true;
    if (this.#draw('twice')) plan.twice = 1 + this.#delay() * 4;
    if (this.#draw('late')) plan.delay = this.#delay() * 3;
    if (this.#draw('late')) plan.delayAnswer = this.#delay() * 3;
    return plan;
  }

  message(direction) {
    const plan = {};
    if (this.#draw('late')) plan.delay = this.#delay();
    if (this.#draw('twice')) plan.twice = true;
    if (this.#draw('loss')) plan.drop = true;
    if (this.#draw('cut')) plan.cut = true;
    if (this.#draw('half')) plan.halfOpen = direction;
    return plan;
  }
}

const KINDS = ['calm', 'rough', 'rough', 'slow', 'refused', 'swallowed', 'half', 'down', 'echo'];
const ODDS = {
  calm: {},
  rough: { drop: 0.06, garbage: 0.02, dropAnswer: 0.08, hang: 0.02, twice: 0.15, late: 0.3, loss: 0.05, cut: 0.03, half: 0.005 },
  slow: { late: 0.9, delayMs: 600, twice: 0.05 },
  refused: { drop: 0.05, dropAnswer: 0.1, twice: 0.2, late: 0.3 },
  swallowed: { dropAnswer: 0.1, twice: 0.1, late: 0.3 },
  half: { half: 0.06, hang: 0.08, late: 0.2 },
  echo: { twice: 0.6, late: 0.3, loss: 0.1 },
};
