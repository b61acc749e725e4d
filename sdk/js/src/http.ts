// One HTTP request with an end: the answer's JSON, or a HoldlineError.
import { HoldlineError } from './error.js';
import type { Settings } from './settings.js';

export async function call(set: Settings, url: string, init: any, ms: number, request = new AbortController()): Promise<any> {
  const timer = set._clock.setTimeout(() => request.abort(), ms);
  let problem: any = { retryable: true };
  try {
    const response = await set._fetch(url, { cache: 'no-store', credentials: 'omit', ...init, signal: request.signal });
    const { ok, headers } = response;
    const json = await response.json().catch(() => null);
    if (ok && json) return json;
    // What is no problem document comes from something in between: it may go away.
    problem = { retry_ms: Number(headers.get('retry-after')) * 1000, retryable: true, ...json };
  } catch (error) {
    problem.detail = String(error);
  } finally {
    set._clock.clearTimeout(timer);
  }
  throw new HoldlineError(problem.code || 'network', problem);
}

export const postJson = (body: unknown, headers?: Record<string, string>): any => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
