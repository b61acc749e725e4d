// What is half written, per conversation; a reload or another conversation in between loses nothing.
import { signal } from '@preact/signals';

export interface Draft {
  text: string;
  isNote: boolean;
}

export const NO_DRAFT: Draft = { text: '', isNote: false };

export class Drafts {
  readonly #name: string;
  readonly #storage: Storage;
  readonly #all = signal<Readonly<Record<string, Draft>>>({});

  constructor(storage: Storage, name: string) {
    this.#storage = storage;
    this.#name = name;
    try {
      this.#all.value = JSON.parse(storage.getItem(name) ?? '{}') as Record<string, Draft>;
    } catch {
      this.#all.value = {};
    }
  }

  of(conversation: string): Draft {
    return this.#all.value[conversation] ?? NO_DRAFT;
  }

  set(conversation: string, draft: Draft): void {
    const { [conversation]: _, ...rest } = this.#all.value;
    this.#all.value = draft.text || draft.isNote ? { ...rest, [conversation]: draft } : rest;
    try {
      this.#storage.setItem(this.#name, JSON.stringify(this.#all.value));
    } catch {
      // it stays in this page
    }
  }
}
