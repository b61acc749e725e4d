// The conversation as the application sees it.
import type { Chat } from './chat.js';
import type { Conversation, Message, PendingMessage, Range, SendOptions } from './types.js';

export class ChatConversation implements Conversation {
  constructor(/** @internal */ private _chat: Chat, /** @internal */ private _leave: () => Promise<void>) {}

  get id(): string {
    return this._chat._record.c || '';
  }

  get reference(): string | null {
    return this._chat._record.ref || null;
  }

  get position(): number {
    return this._chat._record.o;
  }

  get unread(): number {
    return this._chat._record.unread.length;
  }

  get status(): 'open' | 'closed' {
    return this._chat._record.closed ? 'closed' : 'open';
  }

  get assignee(): string | null {
    return this._chat._record.agent || null;
  }

  get pending(): readonly PendingMessage[] {
    return [...this._chat._sender._list];
  }

  send(said: string | Record<string, unknown>, options?: SendOptions): PendingMessage {
    return this._chat._sender._say(said, options);
  }

  async *messages({ after, before = Infinity, limit = Infinity }: Range = {}): AsyncIterable<Message> {
    const until = Math.min(before - 1, this.position);
    const from = after !== undefined ? after : Math.max(0, until - limit);
    let n = 0;
    for (const message of await this._chat._range(from, until)) if (n++ < limit) yield message;
  }

  typing(on: boolean): void {
    this._chat._typing(on);
  }

  read(offset = this.position): void {
    this._chat._read(Math.min(offset, this.position));
  }

  rate(score: number, comment?: string): PendingMessage {
    return this.send(comment ? { score, comment } : { score }, { kind: 'rated' });
  }

  async close(): Promise<void> {
    const { _sender: sender } = this._chat;
    while (sender._unconfirmed.length) await sender._unconfirmed[0].acked.catch(() => {});
    await this._leave();
  }
}
