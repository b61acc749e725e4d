// Tells the others what this agent looks at and where they type, and the gateway how far they have read.
import type { Client } from '../api/client';
import { conversations } from '../api/conversations';

const VIEWING_EVERY_MS = 15_000;
const TYPING_EVERY_MS = 3000;

export class Attention {
  readonly #client: Client;
  readonly #read = new Map<string, number>();
  #viewed: string | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #typedAt = 0;
  #isTyping = false;

  constructor(client: Client) {
    this.#client = client;
  }

  view(conversation: string | null): void {
    if (conversation === this.#viewed) return;
    const left = this.#viewed;
    if (left) this.#say(left, false, false);
    clearInterval(this.#timer);
    this.#isTyping = false;
    this.#viewed = conversation;
    if (!conversation) return;
    this.#say(conversation, true, false);
    this.#timer = setInterval(() => {
      if (document.visibilityState === 'visible') this.#say(conversation, true, this.#isTyping);
    }, VIEWING_EVERY_MS);
  }

  // A key was pressed in a reply; `false` when it was sent or emptied.
  type(isTyping: boolean): void {
    if (!this.#viewed || (!isTyping && !this.#isTyping)) return;
    if (isTyping && Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = isTyping ? Date.now() : 0;
    this.#isTyping = isTyping;
    this.#say(this.#viewed, true, isTyping);
  }

  // Only what was on a screen somebody may have looked at.
  async read(conversation: string, offset: number): Promise<boolean> {
    if (document.visibilityState !== 'visible' || offset <= (this.#read.get(conversation) ?? 0)) return false;
    this.#read.set(conversation, offset);
    try {
      await conversations.read(this.#client, conversation, offset);
      return true;
    } catch {
      this.#read.delete(conversation); // said again with the next entry, or when it is opened again
      return false;
    }
  }

  stop(): void {
    this.view(null);
  }

  // Lost without harm: the next one says the same.
  #say(conversation: string, viewing: boolean, typing: boolean): void {
    conversations.presence(this.#client, conversation, { viewing, typing }).catch(() => {});
  }
}
