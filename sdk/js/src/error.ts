// Errors have a code a program can look at: the gateway's (docs/protocol.md), or one of ours:
// network, timeout, closed, cancelled, outbox_expired, too_large, bad_option.
export class HoldlineError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryMs: number | null; // not before
  readonly requestId: string | null; // for support
  readonly fields: readonly { readonly pointer: string }[]; // what was wrong in a form

  constructor(code: string, problem: HoldlineProblem = {}) {
    super(problem.detail || code);
    this.name = 'HoldlineError';
    this.code = code;
    this.retryable = !!problem.retryable;
    this.retryMs = problem.retry_ms || null;
    this.requestId = problem.request_id || null;
    this.fields = problem.errors || [];
  }
}

// The members of a problem document: docs/protocol.md, "Errors".
export interface HoldlineProblem {
  code?: string;
  detail?: string;
  status?: number;
  retryable?: boolean;
  retry_ms?: number;
  request_id?: string;
  errors?: { pointer: string }[];
}

export const problemOf = ({ code, message, retryable }: HoldlineError): HoldlineProblem => ({ code, detail: message, retryable });
