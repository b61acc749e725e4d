// HTTP to whichever node answers: credentials, read-your-writes, retries. Every call may be made twice
// with one outcome: messages are PUT under the sender's id, changes are conditional.
import { delayOf, pause } from './backoff';
import type { Nodes } from './nodes';
import { Place } from './place';
import { isProblem, problemOf, unreachable } from './problem';

export interface Credentials {
  readonly token: string | null; // null: the cookie says it
}

export interface Call {
  method?: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  tries?: number;
  timeoutMs?: number;
}

export interface ClientOptions {
  nodes: Nodes;
  credentials: Credentials;
  fetch?: typeof fetch;
  onSignedOut?: () => void;
  onReachable?: (isReachable: boolean) => void;
}

const TIMEOUT_MS = 12_000;
const TRIES = 4;
const QUICK = { baseMs: 250, maxMs: 2000 };

export class Client {
  readonly nodes: Nodes;
  readonly place = new Place();
  readonly credentials: Credentials;
  readonly #fetch: typeof fetch;
  readonly #onSignedOut: () => void;
  readonly #onReachable: (isReachable: boolean) => void;

  constructor(options: ClientOptions) {
    this.nodes = options.nodes;
    this.credentials = options.credentials;
    this.#fetch = options.fetch ?? ((...args) => fetch(...args));
    this.#onSignedOut = options.onSignedOut ?? (() => {});
    this.#onReachable = options.onReachable ?? (() => {});
  }

  // The answer's body.
  async call<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.send(path, call);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  // The answer itself, once it is a success; or throws a Problem.
  async send(path: string, call: Call = {}): Promise<Response> {
    const tries = call.tries ?? TRIES;
    for (let failures = 0; ; ) {
      try {
        return await this.#once(path, call);
      } catch (error) {
        failures += 1;
        if (!isProblem(error) || !error.retryable || failures >= tries || call.signal?.aborted) throw error;
        await pause(delayOf(failures, error.retryMs, QUICK), call.signal);
      }
    }
  }

  headers(method: string): Record<string, string> {
    const headers: Record<string, string> = {};
    if (this.credentials.token) headers['authorization'] = `Bearer ${this.credentials.token}`;
    if (method === 'GET' && this.place.text) headers['holdline-min-position'] = this.place.text;
    return headers;
  }

  async #once(path: string, { method = 'GET', body, headers, signal, timeoutMs = TIMEOUT_MS }: Call): Promise<Response> {
    const node = this.nodes.current;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    const abort = (): void => controller.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const response = await this.#fetch(node + path, {
        method,
        signal: controller.signal,
        cache: 'no-store',
        credentials: 'same-origin',
        headers: { ...this.headers(method), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await this.#judge(response, node);
    } catch (error) {
      if (isProblem(error) || signal?.aborted) throw error;
      this.nodes.fail(node);
      this.#onReachable(false);
      throw unreachable();
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async #judge(response: Response, node: string): Promise<Response> {
    this.#onReachable(true);
    if (response.ok) {
      this.place.note(response.headers.get('holdline-position'));
      return response;
    }
    const problem = await problemOf(response);
    if (problem.status === 401) this.#onSignedOut();
    if (problem.code === 'cursor_expired') this.place.forget();
    if (problem.code === 'draining' || problem.status === 502 || problem.status === 504) this.nodes.fail(node);
    throw problem;
  }
}
