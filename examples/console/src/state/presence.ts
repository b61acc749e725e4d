// Who else is at a conversation and who is typing. Nothing of it is stored; everything expires.
import { signal } from '@preact/signals';
import type { Presence, Role } from '../api/types';

export interface Guest {
  id: string;
  role: Role;
  name: string;
  viewingUntil: number;
  typingUntil: number;
}

const VIEWING_MS = 30_000;
const TYPING_MS = 6000;

export class Guests {
  readonly #all = signal<ReadonlyMap<string, ReadonlyMap<string, Guest>>>(new Map());

  take({ conversation, from, viewing, typing }: Presence, at: number): void {
    const guests = new Map(this.#all.value.get(conversation));
    const known = guests.get(from.id);
    guests.set(from.id, {
      id: from.id,
      role: from.role,
      name: from.name ?? known?.name ?? '',
      viewingUntil: viewing === undefined ? (known?.viewingUntil ?? 0) : viewing ? at + VIEWING_MS : 0,
      typingUntil: typing === undefined ? (known?.typingUntil ?? 0) : typing ? at + TYPING_MS : 0,
    });
    this.#all.value = new Map(this.#all.value).set(conversation, guests);
  }

  // Somebody who has just spoken types no longer.
  stopTyping(conversation: string, id: string): void {
    if (this.#all.value.get(conversation)?.get(id)?.typingUntil) {
      const role = this.#all.value.get(conversation)?.get(id)?.role ?? 'visitor';
      this.take({ conversation, from: { id, role }, typing: false }, 0);
    }
  }

  clear(): void {
    this.#all.value = new Map();
  }

  at(conversation: string, nowMs: number): { visitorTypes: boolean; agents: { name: string; id: string; types: boolean }[] } {
    const guests = [...(this.#all.value.get(conversation)?.values() ?? [])];
    return {
      visitorTypes: guests.some((guest) => guest.role === 'visitor' && guest.typingUntil > nowMs),
      agents: guests
        .filter((guest) => guest.role !== 'visitor' && Math.max(guest.viewingUntil, guest.typingUntil) > nowMs)
        .map(({ name, id, typingUntil }) => ({ name, id, types: typingUntil > nowMs })),
    };
  }
}
