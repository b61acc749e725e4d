// The agents' HTTP API (agent-api/openapi.yaml), as far as the console needs it.

const WAIT_S = 25;
const RETRY_MS = 1000;

export class AgentApi {
  constructor(url, key) {
    this.url = url;
    this.key = key;
  }

  async call(method, path, { body, headers = {}, signal } = {}) {
    const response = await fetch(this.url + path, {
      method,
      signal,
      cache: 'no-store',
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      body: body ? JSON.stringify(body) : undefined,
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.detail ?? answer.code), { problem: answer });
    return answer;
  }

  me() {
    return this.call('GET', '/v1/agent');
  }

  async conversations() {
    return (await this.call('GET', '/v1/conversations?limit=200')).data;
  }

  conversation(id) {
    return this.call('GET', `/v1/conversations/${id}`);
  }

  // The whole transcript, page by page: {entries, epoch}.
  async transcript(id, after = 0) {
    const entries = [];
    for (let at = after; ; ) {
      const page = await this.call('GET', `/v1/conversations/${id}/messages?after=${at}&limit=200`);
      entries.push(...page.data);
      at = page.next_after;
      if (!page.has_more) return { entries, epoch: page.epoch };
    }
  }

  // The client's own id makes this repeatable until it is answered.
  async say(id, clientId, text, visibility) {
    for (;;) {
      try {
        return await this.call('PUT', `/v1/conversations/${id}/messages/${clientId}`, { body: { text, visibility } });
      } catch (error) {
        if (error.problem && !error.problem.retryable) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.problem?.retry_ms ?? RETRY_MS));
      }
    }
  }

  claim(id) {
    return this.call('PUT', `/v1/conversations/${id}/assignee`, { headers: { 'if-none-match': '*' } });
  }

  setStatus({ id, etag }, status) {
    return this.call('PATCH', `/v1/conversations/${id}`, { body: { status }, headers: { 'if-match': etag } });
  }
}

// Everything that happens, from now on: onEvent(entry), onState('live' | 'waiting', transport).
export class Feed {
  #cursor = null;

  constructor(api, { useStream = true, onEvent, onState, onReset }) {
    Object.assign(this, { api, useStream, onEvent, onState, onReset });
  }

  async run() {
    for (let failures = 0; ; ) {
      try {
        if (this.#cursor === null) this.#cursor = (await this.api.call('GET', '/v1/events')).next_cursor;
        if (this.useStream) await this.#stream();
        else await this.#poll();
        failures = 0;
      } catch (error) {
        if (error.problem?.code === 'unauthorized') throw error;
        if (error.problem?.code === 'cursor_expired') {
          this.#cursor = null;
          this.onReset();
        }
        this.onState('waiting');
        failures += 1;
        const span = Math.min(20000, 500 * 2 ** failures);
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * span));
      }
    }
  }

  async #poll() {
    this.onState('live', 'longpoll');
    const { data, next_cursor: next } = await this.api.call('GET', `/v1/events?wait=${WAIT_S}&cursor=${this.#cursor}`);
    for (const entry of data) this.onEvent(entry);
    this.#cursor = next;
  }

  // Server-sent events, read with fetch: an EventSource cannot send the key in a header.
  async #stream() {
    const response = await fetch(`${this.api.url}/v1/events?cursor=${this.#cursor}`, {
      cache: 'no-store',
      headers: { authorization: `Bearer ${this.api.key}`, accept: 'text/event-stream' },
    });
    if (!response.ok) throw Object.assign(new Error('feed'), { problem: await response.json() });
    this.onState('live', 'stream');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffered = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      buffered += value;
      const blocks = buffered.split('\n\n');
      buffered = blocks.pop();
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block) {
    const fields = Object.fromEntries(
      block.split('\n').filter((line) => line && !line.startsWith(':')).map((line) => line.split(/: (.*)/s)),
    );
    if (!fields.data || !fields.id) return; // a signal, such as presence, has no place in the log
    this.onEvent(JSON.parse(fields.data));
    this.#cursor = fields.id;
  }
}
