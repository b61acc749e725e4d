// One HTTP request, with nothing kept behind: the answer as status, headers, text and JSON.
import http from 'node:http';
import https from 'node:https';

const DEADLINE_MS = 40_000;

function readAnswer(response, resolve, reject) {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('error', reject);
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8');
    let json;
    if (/[/+]json/.test(response.headers['content-type'] ?? '')) {
      try {
        json = JSON.parse(text);
      } catch (error) {
        reject(error);
        return;
      }
    }
    resolve({ status: response.statusCode, headers: response.headers, text, json });
  });
}

// body: a string or Buffer is sent as it is, anything else as JSON.
export function request(url, { method, headers = {}, body, signal, agent = false } = {}) {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined ? undefined : Buffer.from(isRaw ? body : JSON.stringify(body));
  const all = { ...headers };
  if (payload && !Object.keys(all).some((name) => name.toLowerCase() === 'content-type')) {
    all['content-type'] = 'application/json';
  }
  if (payload) all['content-length'] = payload.length;
  const options = {
    method: method ?? (payload ? 'POST' : 'GET'),
    headers: all,
    signal,
    agent,
    rejectUnauthorized: false,
  };
  return new Promise((resolve, reject) => {
    const client = String(url).startsWith('https') ? https : http;
    const outgoing = client.request(url, options, (r) => readAnswer(r, resolve, reject));
    outgoing.setTimeout(DEADLINE_MS, () => outgoing.destroy(new Error(`no answer: ${url}`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

// A stream of server-sent events: next() gives {id, event, data}, data parsed.
export class EventStream {
  constructor(url, { headers = {} } = {}) {
    this.events = [];
    this.waiting = [];
    this.opened = new Promise((resolve, reject) => {
      const client = String(url).startsWith('https') ? https : http;
      const options = { headers: { accept: 'text/event-stream', ...headers }, agent: false, rejectUnauthorized: false };
      this.request = client.get(url, options, (response) => {
        this.response = response;
        resolve({ status: response.statusCode, headers: response.headers });
        this.#read(response);
      });
      this.request.on('error', reject);
    });
    this.opened.catch(() => {});
  }

  #read(response) {
    let buffered = '';
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('data', (chunk) => {
      buffered += chunk;
      let end;
      while ((end = buffered.indexOf('\n\n')) >= 0) {
        this.#take(buffered.slice(0, end));
        buffered = buffered.slice(end + 2);
      }
    });
  }

  #take(block) {
    const event = { event: 'message' };
    for (const line of block.split('\n')) {
      const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (field === 'data') event.data = (event.data ?? '') + value;
      else if (field) event[field] = value;
    }
    if (event.data === undefined) return; // a comment that keeps the line open
    event.data = JSON.parse(event.data);
    const waiter = this.waiting.shift();
    if (waiter) waiter(event);
    else this.events.push(event);
  }

  next(ms = 5000) {
    if (this.events.length) return Promise.resolve(this.events.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no event came')), ms);
      this.waiting.push((event) => {
        clearTimeout(timer);
        resolve(event);
      });
    });
  }

  close() {
    this.request.destroy();
  }
}
