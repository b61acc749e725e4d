// Canned replies: which fit what is typed after "/", and their placeholders.
import type { CannedReply } from '../api/types';

export interface Blanks {
  name: string;
  agent: string;
  reference: string;
}

// What stands between a "/" that begins a word and the caret, or null.
export function typedShortcut(text: string, caret: number): string | null {
  const [, typed] = /(?:^|\s)\/([\w.-]*)$/.exec(text.slice(0, caret)) ?? [];
  return typed ?? null;
}

export function matching(replies: readonly CannedReply[], typed: string): CannedReply[] {
  const wanted = typed.toLowerCase();
  const starts = replies.filter(({ shortcut }) => shortcut.toLowerCase().startsWith(wanted));
  const rest = replies.filter((reply) => !starts.includes(reply) && reply.text.toLowerCase().includes(wanted));
  return [...starts, ...(wanted.length > 1 ? rest : [])].slice(0, 8);
}

export function fillBlanks(text: string, blanks: Blanks): string {
  return text.replace(/\{(name|agent|reference)\}/g, (_, blank: keyof Blanks) => blanks[blank]);
}

// The reply in place of what was typed: the new text and where the caret goes.
export function expand(text: string, caret: number, typed: string, reply: string): { text: string; caret: number } {
  const before = text.slice(0, caret - typed.length - 1);
  return { text: before + reply + text.slice(caret), caret: before.length + reply.length };
}
