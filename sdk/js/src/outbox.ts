// What was said and is not in the transcript yet. An item is kept before it is sent, and stays
// until it is confirmed, or its owner dismisses it.
import type { Chat } from './chat.js';
import { HoldlineError, type HoldlineProblem, problemOf } from './error.js';
import { type Frame, textOf } from './frames.js';
import type { Kind, Message, PendingMessage, PendingState } from './types.js';

// As it is stored.
export interface Item {
  mid: string;
  n: number; // rises
  at: number;
  kind: Kind;
  body: Record<string, unknown>;
  failed?: HoldlineProblem;
}

export class Pending implements PendingMessage {
  readonly clientId: string;
  readonly kind: Kind;
  readonly body: Record<string, unknown>;
  readonly text: string;
  at: number;
  state: PendingState = 'queued';
  durable = false;
  error: HoldlineError | null = null;
  acked!: Promise<Message>;
  /** @internal */ _isKept?: boolean; // as well as it can be; so it may be sent
  /** @internal */ _isHanded?: boolean; // to the tab that leads
  /** @internal */ _seq = 0; // of this attachment
  /** @internal */ _resolve!: (message: Message) => void;
  /** @internal */ _reject!: (error: HoldlineError) => void;

  constructor(/** @internal */ public _item: Item, private _chat: Chat) {
    this.clientId = _item.mid;
    this.kind = _item.kind;
    this.body = _item.body;
    this.text = textOf(_item.body);
    this.at = _item.at;
    this._arm();
    const { failed } = _item;
    if (failed) this._fail(new HoldlineError(failed.code!, failed));
  }

  /** @internal */
  _arm(): void {
    this.acked = new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
    this.acked.catch(() => {}); // the state tells those who do not ask
  }

  /** @internal */
  _move(state: PendingState): void {
    if (this.state === state) return;
    this.state = state;
    this._chat._changed(this);
  }

  /** @internal */
  _fail(error: HoldlineError): void {
    this.error = error;
    this._item.failed = problemOf(error);
    this._reject(error);
    this._move('failed');
  }

  /** @internal */
  get _frame(): Frame {
    return { t: 'pub', mid: this.clientId, seq: this._seq, kind: this.kind, body: this.body };
  }

  retry(): void {
    if (this.state !== 'failed') return;
    this.error = null;
    delete this._item.failed;
    this._isHanded = false;
    this._seq = 0;
    this._arm();
    this._move('queued');
    this._chat._again(this);
  }

  cancel(): boolean {
    const mayGo = this.state === 'failed' || (this.state === 'queued' && !this._isHanded);
    if (mayGo) {
      this._reject(new HoldlineError('cancelled'));
      this._chat._dismiss(this);
    }
    return mayGo;
  }
}
