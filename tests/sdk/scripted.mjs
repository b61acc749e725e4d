// A clock that is moved by hand, and a gateway that says what the test says.
export class FakeClock {
  #now = 0;
  #timers = new Map();
  #id = 0;
  wallMs = 1_800_000_000_000;

  now() {
    return this.#now;
  }

  wall() {
    return this.wallMs + this.#now;
  }

  setTimeout(run, ms) {
    this.#id += 1;
    this.#timers.set(this.#id, { at: this.#now + Math.max(0, ms || 0), run });
    return this.#id;
  }

  clearTimeout(id) {
    this.#timers.delete(id);
  }

  // Everything due until then runs at its time; promises settle between.
  async pass(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
    }
    this.#now = end;
    await settle();
  }
}

export async function settle() {
  for (let i = 0; i < 40; i += 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

export const WELCOME = {
  t: 'welcome', v: 1, sid: 'ses_1', token: 'token-1', gen: 1, participant: 'vis_1', node: 'n', dur: 'local', credit: 512,
  ttl_ms: 60000, ping_ms: 25000, body_max: 16384, seq: 1, conv: [{ c: 'cnv_1', verdict: 'resumed', e: '1', head: 0, floor: 0 }],
};
export const entry = (o, text, more = {}) => ({
  t: 'msg', c: 'cnv_1', e: '1', o, mid: `m${o}`, from: { role: 'agent', id: 'agt_1' }, ts: '2026-03-01T09:30:00.123Z', kind: 'message', body: { text }, ...more,
});
export const problem = (code, retryable, more = {}) => ({ type: 'about:blank', title: code, status: 400, detail: code, code, retryable, ...more });

export class FakeGateway {
  sockets = [];
  polls = [];
  isRefusing = false;

  constructor() {
    const gateway = this;
    this.WebSocket = class {
      readyState = 0;
      sent = [];

      constructor(url) {
        this.url = url;
        gateway.sockets.push(this);
        if (gateway.isRefusing) setImmediate(() => this.end(1006));
      }

      open() {
        this.readyState = 1;
        this.onopen?.({});
      }

      // Frames from the gateway.
      say(...frames) {
        this.onmessage?.({ data: JSON.stringify(frames) });
      }

      // The usual beginning.
      greet(welcome = WELCOME) {
        this.open();
        this.say(welcome);
        this.say({ t: 'synced', c: 'cnv_1', o: welcome.conv[0].head }, { t: 'pong', ts: 'prove' });
      }

      send(text) {
        this.sent.push(...[JSON.parse(text)].flat());
      }

      of(t) {
        return this.sent.filter((frame) => frame.t === t);
      }

      end(code) {
        this.readyState = 3;
        this.onclose?.({ code });
      }

      close() {
        this.readyState = 3;
      }
    };
  }

  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  // Waits to be answered by the test: poll.answer(status, json, headers).
  fetch = (url, { body, signal, ...init }) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      const poll = { url, init, body: body && JSON.parse(body) };
      poll.answer = (status, json, headers = {}) =>
        resolve({ ok: status === 200, status, headers: { get: (name) => headers[name] ?? null }, json: async () => json });
      poll.fail = () => reject(new Error('network'));
      this.polls.push(poll);
    });

  get poll() {
    return this.polls[this.polls.length - 1];
  }
}
