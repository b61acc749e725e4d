// One HTTP request with an end: the answer's JSON, or a HoldlineError.
import { HoldlineError } from './error.js';
import { type Problem, toError } from './frames.js';
import type { Clock, FetchLike } from './types.js';

export interface Caller {
  _fetch: FetchLike;
  _clock: Clock;
}

export async function call(caller: Caller, url: string, init: any, ms: number, request = new AbortController()): Promise<any> {
  const timer = caller._clock.setTimeout(() => request.abort(), ms);
  const all = { cache: 'no-store', credentials: 'omit', ...init, signal: request.signal };
  try {
    const response = await caller._fetch(url, all);
    const json = await response.json().catch(() => null);
    if (response.ok && json) return json;
    const { status } = response;
    // What is no problem document comes from something in between: it may go away.
    const problem: Problem = (json && json.code && json) || { code: 'network', detail: `HTTP ${status}`, retryable: true };
    const seconds = Number(response.headers.get('retry-after'));
    throw toError({ retry_ms: seconds * 1000 || undefined, status, ...problem });
  } catch (error) {
    if (error instanceof HoldlineError) throw error;
    throw new HoldlineError('network', String(error), { retryable: true });
  } finally {
    caller._clock.clearTimeout(timer);
  }
}

export const postJson = (body: unknown, headers?: Record<string, string>): any => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
