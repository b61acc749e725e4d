// Errors have a code a program can look at: the gateway's (docs/protocol.md), or one of ours:
// network, timeout, closed, cancelled, outbox_expired, not_started.
export class HoldlineError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryMs: number | null; // not before
  readonly status: number | null; // of HTTP
  readonly requestId: string | null; // for support
  readonly fields: readonly { readonly pointer: string }[]; // what was wrong in a form

  constructor(code: string, message: string, more: HoldlineErrorDetails = {}) {
    super(message);
    this.name = 'HoldlineError';
    this.code = code;
    this.retryable = more.retryable || false;
    this.retryMs = more.retryMs || null;
    this.status = more.status || null;
    this.requestId = more.requestId || null;
    this.fields = more.fields || [];
  }
}

export interface HoldlineErrorDetails {
  retryable?: boolean;
  retryMs?: number | null;
  status?: number | null;
  requestId?: string | null;
  fields?: readonly { readonly pointer: string }[];
}
