// Waiting between tries: full jitter over a doubling span, never before the gateway's own word.

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

export const PATIENT: Backoff = { baseMs: 500, maxMs: 15_000 };

export function delayOf(failures: number, retryMs = 0, { baseMs, maxMs }: Backoff = PATIENT): number {
  const span = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 16));
  return retryMs + 50 + Math.random() * span;
}

// Resolves after the time, or at once when the signal says so; never rejects.
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
