// Keyboard shortcuts of the page. Single letters count only where nobody is writing.
import type { Signal } from '@preact/signals';
import type { App } from '../state/app';
import { deeds } from '../state/deeds';
import { NO_SEARCH } from '../state/queue';
import { go, route } from '../state/route';
import type { ViewName } from '../state/view';

export type Opened = 'help' | 'settings' | null;

export const SHORTCUTS: { keys: string[]; words: string }[] = [
  { keys: ['j', 'k'], words: 'Next, previous conversation' },
  { keys: ['Enter'], words: 'Open it and write' },
  { keys: ['c'], words: 'Claim' },
  { keys: ['r'], words: 'Write a reply' },
  { keys: ['n'], words: 'Write a note' },
  { keys: ['e'], words: 'Close, or reopen' },
  { keys: ['u'], words: 'Release' },
  { keys: ['/'], words: 'Search; in a reply: canned replies' },
  { keys: ['Ctrl', 'Enter'], words: 'Send (Enter alone sends too; Shift+Enter begins a line)' },
  { keys: ['1', '…', '4'], words: 'Unassigned, mine, all open, closed' },
  { keys: ['Esc'], words: 'Leave the field, or the conversation' },
  { keys: ['?'], words: 'This help' },
];

const VIEWS: Record<string, ViewName> = { 1: 'unassigned', 2: 'mine', 3: 'open', 4: 'closed' };

export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && Boolean(target.closest('input, textarea, select, [contenteditable]'));
}

export const focusComposer = (): void => document.querySelector<HTMLTextAreaElement>('.composer textarea')?.focus();

function step(app: App, by: number): void {
  const items = app.queue.shown.value;
  const at = items.findIndex(({ id }) => id === route.value.conversation);
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.max(0, Math.min(items.length - 1, at + by))];
  if (!next) return;
  go({ conversation: next.id });
  queueMicrotask(() => {
    const link = document.querySelector<HTMLElement>(`.item[data-id="${next.id}"]`);
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: 'nearest' });
  });
}

function setNote(app: App, id: string, isNote: boolean): void {
  app.drafts.set(id, { ...app.drafts.of(id), isNote });
  setTimeout(focusComposer);
}

function escape(app: App): void {
  if (document.activeElement instanceof HTMLElement && isWriting(document.activeElement)) document.activeElement.blur();
  else if (app.queue.search.value) void app.queue.select(route.value.view);
  else if (route.value.conversation) go({ conversation: null });
}

// On the conversation that is open.
const ON_CONVERSATION: Record<string, (app: App, id: string) => void> = {
  c: (app, id) => void deeds.claim(app, id).then((isMine) => isMine && focusComposer()),
  r: (app, id) => setNote(app, id, false),
  n: (app, id) => setNote(app, id, true),
  u: (app, id) => void deeds.release(app, id),
  e: (app, id) => void deeds.change(app, id, { status: app.records.get(id)?.status === 'closed' ? 'open' : 'closed' }),
};

function press(app: App, opened: Signal<Opened>, key: string): boolean {
  const id = route.value.conversation;
  const onConversation = ON_CONVERSATION[key];
  const view = VIEWS[key];
  if (key === 'j' || key === 'k') step(app, key === 'j' ? 1 : -1);
  else if (key === 'Enter' && id) focusComposer();
  else if (key === '?') opened.value = 'help';
  else if (key === '/') {
    app.queue.search.value ??= NO_SEARCH;
    setTimeout(() => document.querySelector<HTMLInputElement>('.search input')?.focus());
  } else if (view) go({ view, conversation: null });
  else if (onConversation && id) onConversation(app, id);
  else return false;
  return true;
}

export function listenToKeys(app: App, opened: Signal<Opened>): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') {
      escape(app);
      return;
    }
    const isOnControl = event.key === 'Enter' && event.target instanceof HTMLElement && event.target.closest('a:not(.item), button') !== null;
    if (isWriting(event.target) || isOnControl || event.repeat && event.key !== 'j' && event.key !== 'k') return;
    if (press(app, opened, event.key)) event.preventDefault();
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}
