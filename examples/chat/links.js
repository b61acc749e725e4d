// The two ways frames travel. A link is one attachment: it sends the hello, then carries frames
// until it ends, once, with a reason:
//   {code, frame?}   WebSocket close code, and the bye that came before it
//   {problem}        an HTTP answer that was not 200
//   {silent: true}   nothing came for too long, or the network failed
//
// owner: { url, hello(), composePoll(), receive(frame), ended(link, why) }

const POLL_WAIT_MS = 25000;
const PROVE_MS = 2500;
const GRACE_MS = 10000;
const SUPERSEDED_MS = 1000; // at most; random

export class WebSocketLink {
  kind = 'websocket';
  isProven = false; // welcome and one round trip came
  #silence = 0;

  constructor(owner) {
    this.owner = owner;
  }

  open() {
    const socket = new WebSocket(this.owner.url.replace(/^http/, 'ws') + '/v1/ws', 'holdline.v1');
    this.socket = socket;
    this.pingMs = PROVE_MS;
    this.#watch(PROVE_MS);
    socket.onopen = () => this.send([this.owner.hello()]);
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#end({ code: event.code, frame: this.bye });
  }

  #receive(message) {
    if (this.isProven) this.#watch(this.pingMs + GRACE_MS);
    for (const frame of Array.isArray(message) ? message : [message]) {
      if (this.isOver) return;
      if (frame.t === 'welcome') {
        this.pingMs = frame.ping_ms;
        this.send([{ t: 'ping', ts: 'prove' }]);
      } else if (frame.t === 'pong' && !this.isProven) {
        this.isProven = true;
        this.#watch(this.pingMs + GRACE_MS);
        this.owner.proven(this);
      } else if (frame.t === 'bye') {
        this.bye = frame;
      }
      this.owner.receive(frame);
    }
  }

  // Gives the link up if nothing comes for so long.
  #watch(ms) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#end({ silent: true }), ms);
  }

  // After a sleep: is there anybody?
  poke() {
    if (!this.isProven) return;
    this.send([{ t: 'ping', ts: 'poke' }]);
    this.#watch(PROVE_MS);
  }

  send(frames) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify(frames.length === 1 ? frames[0] : frames));
  }

  #end(why) {
    if (this.isOver) return;
    this.close();
    this.owner.ended(this, why);
  }

  close() {
    this.isOver = true;
    clearTimeout(this.#silence);
    this.socket.close();
  }
}

export class PollLink {
  kind = 'longpoll';
  isProven = false;
  #rid = Date.now(); // rises over all links of this visitor: a late request is known as such
  #gen = 0;
  #queue = [];
  #requests = new Set();

  constructor(owner) {
    this.owner = owner;
  }

  open() {
    this.#poll([this.owner.hello()]);
  }

  // A poll that waits is displaced by this one, which carries the frames.
  send(frames) {
    this.#queue.push(...frames);
    if (this.#gen && !this.isScheduled) {
      this.isScheduled = true;
      queueMicrotask(() => {
        this.isScheduled = false;
        if (!this.isOver && this.#queue.length) this.#poll(this.#queue.splice(0));
      });
    }
  }

  async #poll(frames) {
    const rid = ++this.#rid;
    const body = { rid, wait_ms: POLL_WAIT_MS, ...this.owner.composePoll(frames, Boolean(this.#gen)) };
    if (this.#gen) body.gen = this.#gen;
    const { resets } = this.owner;
    try {
      const answer = await this.#post(body);
      if (this.isOver) return;
      if (this.owner.resets !== resets) this.#queue.unshift(...frames); // it speaks of what is forgotten now
      else if (!answer.superseded) this.#take(answer);
      else if (rid === this.#rid) await this.#displaced(body.gen, frames);
      if (rid === this.#rid && !this.isOver) this.#poll(this.#queue.splice(0));
    } catch (error) {
      if (this.isOver) return;
      if (error.problem?.code === 'replaced' && this.#gen !== body.gen) {
        this.#queue.unshift(...frames); // by an attachment of ours
        if (rid === this.#rid) this.#poll(this.#queue.splice(0));
      } else if (rid === this.#rid || error.problem) {
        this.#end(error.problem ? { problem: error.problem } : { silent: true });
      }
    }
  }

  // Our newest poll was displaced, not by a newer one of ours. Either we were attached anew by an
  // earlier poll, whose answer tells; or somebody else was, and the next poll will be refused.
  async #displaced(gen, frames) {
    this.#queue.unshift(...frames);
    if (this.#gen !== gen) return;
    await new Promise((resolve) => {
      this.onGeneration = resolve;
      setTimeout(resolve, Math.random() * SUPERSEDED_MS);
    });
  }

  async #post(body) {
    const request = new AbortController();
    this.#requests.add(request);
    const timer = setTimeout(() => request.abort(), POLL_WAIT_MS + GRACE_MS);
    try {
      const response = await fetch(this.owner.url + '/v1/poll', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        signal: request.signal,
      });
      const answer = await response.json();
      if (!response.ok) throw Object.assign(new Error(answer.code), { problem: answer });
      return answer;
    } finally {
      clearTimeout(timer);
      this.#requests.delete(request);
    }
  }

  #take(answer) {
    if (this.#gen !== answer.gen) this.onGeneration?.();
    this.#gen = answer.gen;
    if (!this.isProven) {
      this.isProven = true;
      this.owner.proven(this);
    }
    for (const frame of answer.frames) {
      if (this.isOver) return;
      this.owner.receive(frame);
      if (frame.t === 'bye') this.#end({ code: frame.code, frame });
    }
  }

  poke() {
    this.send([{ t: 'ping', ts: 'poke' }]);
  }

  #end(why) {
    if (this.isOver) return;
    this.close();
    this.owner.ended(this, why);
  }

  close() {
    this.isOver = true;
    for (const request of this.#requests) request.abort();
  }
}
