// Short words about what was done or went wrong; shown for a while, and told to screen readers.
import { signal } from '@preact/signals';

export interface Toast {
  id: number;
  kind: 'info' | 'good' | 'bad';
  words: string;
}

const SHOWN_MS = 7000;
let nextId = 1;

export const toasts = signal<readonly Toast[]>([]);

export function tell(words: string, kind: Toast['kind'] = 'info'): void {
  const id = nextId++;
  toasts.value = [...toasts.value.filter((toast) => toast.words !== words).slice(-2), { id, kind, words }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
