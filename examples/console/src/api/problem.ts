// Every failure of a call: the gateway's problem document, or that nobody could be reached.
import type { ProblemDocument } from './types';

export class Problem extends Error {
  readonly document: ProblemDocument;

  constructor(document: ProblemDocument) {
    super(document.detail || document.title);
    this.name = 'Problem';
    this.document = document;
  }

  get code(): string {
    return this.document.code;
  }

  get status(): number {
    return this.document.status;
  }

  get retryable(): boolean {
    return this.document.retryable;
  }

  get retryMs(): number {
    return this.document.retry_ms ?? 0;
  }
}

function make(code: string, status: number, detail: string, retryable: boolean): Problem {
  return new Problem({ title: detail, status, detail, code, retryable, request_id: '' });
}

export function unreachable(): Problem {
  return make('unreachable', 0, 'The gateway cannot be reached.', true);
}

// What an answer that is not a success says; a proxy's page counts by its status.
export async function problemOf(response: Response): Promise<Problem> {
  const isRetryable = response.status === 408 || response.status === 429 || response.status >= 500;
  const fallback = make('http_error', response.status, `The answer was ${response.status}.`, isRetryable);
  try {
    const document = (await response.json()) as Partial<ProblemDocument>;
    if (typeof document.code !== 'string') return fallback;
    const seconds = Number(response.headers.get('retry-after') ?? 0);
    const retry = document.retry_ms ?? (seconds > 0 ? seconds * 1000 : 0);
    return new Problem({ ...fallback.document, ...document, ...(retry ? { retry_ms: retry } : {}) });
  } catch {
    return fallback;
  }
}

export function isProblem(error: unknown, code?: string): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}

// Words for people.
export function wordsOf(error: unknown): string {
  if (isProblem(error)) return error.message;
  return error instanceof Error ? error.message : String(error);
}
