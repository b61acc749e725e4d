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
    this.#all.value = this.#load();
  }

  of(conversation: string): Draft {
    return this.#all.value[conversation] ?? NO_DRAFT;
  }

  set(conversation: string, draft: Draft): void {
    const put = (all: Readonly<Record<string, Draft>>): Record<string, Draft> => {
      const { [conversation]: _, ...rest } = all;
      return draft.text || draft.isNote ? { ...rest, [conversation]: draft } : rest;
    };
    this.#all.value = put(this.#all.value);
    try {
      this.#storage.setItem(this.#name, JSON.stringify(put(this.#load()))); // another tab may have its own
    } catch {
      // it stays in this page
    }
  }

  #load(): Record<string, Draft> {
    try {
      return JSON.parse(this.#storage.getItem(this.#name) ?? '{}') as Record<string, Draft>;
    } catch {
      return {};
    }
  }
}
