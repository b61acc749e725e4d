// Who else is at a conversation and who is typing. Nothing of it is stored; everything expires.
import { signal } from '@preact/signals';
import type { Presence, Role } from '../api/types';

interface Guest {
  role: Role;
  viewingUntil: number;
  typingUntil: number;
  isPresent: boolean | null; // null: nothing was told
}

export interface Seen {
  visitorTypes: boolean;
  visitorIsHere: boolean | null;
  agents: { id: string; types: boolean }[];
}

const DEFAULT_MS = 6000;

export class Guests {
  readonly #all = signal<ReadonlyMap<string, ReadonlyMap<string, Guest>>>(new Map());

  take({ what, on, from, conversation, expires_in_ms: ms = DEFAULT_MS }: Presence, at: number): void {
    if (conversation === null) return;
    const until = on ? at + ms : 0;
    this.#set(conversation, from, (guest) => {
      if (what === 'typing') return { ...guest, typingUntil: until };
      if (what === 'viewing') return { ...guest, viewingUntil: until };
      return { ...guest, isPresent: on, typingUntil: on ? guest.typingUntil : 0 };
    });
  }

  // Somebody who has just spoken types no longer.
  stopTyping(conversation: string, from: Presence['from']): void {
    if (this.#all.value.get(conversation)?.get(from.id)?.typingUntil) {
      this.#set(conversation, from, (guest) => ({ ...guest, typingUntil: 0 }));
    }
  }

  clear(): void {
    this.#all.value = new Map();
  }

  at(conversation: string, nowMs: number): Seen {
    const guests = [...(this.#all.value.get(conversation) ?? [])];
    const visitors = guests.filter(([, { role }]) => role === 'visitor').map(([, guest]) => guest);
    return {
      visitorTypes: visitors.some(({ typingUntil }) => typingUntil > nowMs),
      visitorIsHere: visitors.find(({ isPresent }) => isPresent !== null)?.isPresent ?? null,
      agents: guests
        .filter(([, { role, viewingUntil, typingUntil }]) => role !== 'visitor' && Math.max(viewingUntil, typingUntil) > nowMs)
        .map(([id, { typingUntil }]) => ({ id, types: typingUntil > nowMs })),
    };
  }

  #set(conversation: string, from: Presence['from'], change: (guest: Guest) => Guest): void {
    const guests = new Map(this.#all.value.get(conversation));
    const known = guests.get(from.id) ?? { role: from.role, viewingUntil: 0, typingUntil: 0, isPresent: null };
    guests.set(from.id, change(known));
    this.#all.value = new Map(this.#all.value).set(conversation, guests);
  }
}
