// What people wrote, as nodes: links where it is safe, nothing else. No markup is ever read.
import { el } from './dom';

// Overrides and isolates of writing direction make a text look like another one.
const DIRECTION_TRICKS = /[\u202a-\u202e\u2066-\u2069]/g;
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^\u200b-\u200f]+|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/gi;

/** Without what changes the direction of the rest. */
export const plain = (text: string): string => text.replace(DIRECTION_TRICKS, '');

// A full stop or a bracket at the end belongs to the sentence.
function trimmed(link: string): string {
  const end = link.replace(/[.,;:!?]+$/, '');
  const isOpen = end.split('(').length >= end.split(')').length;
  return end.endsWith(')') && !isOpen ? trimmed(end.slice(0, -1)) : end;
}

/** The address a link may lead to; null: none that is safe. */
export function addressOf(link: string): string | null {
  const text = /^www\./i.test(link) ? `https://${link}` : /^https?:/i.test(link) ? link : `mailto:${link}`;
  try {
    const url = new URL(text);
    if (url.username || url.password) return null; // https://bank.example@evil.example
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export interface Piece {
  text: string;
  href?: string;
}

/** The text in pieces, some of them links. */
export function pieces(source: string): Piece[] {
  const text = plain(source);
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    const href = addressOf(link);
    if (!href) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: link, href });
    at = match.index + link.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

export function linked(source: string): (string | HTMLElement)[] {
  return pieces(source).map(({ text, href }) =>
    href ? el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, text) : text);
}

const encoder = new TextEncoder();
export const byteLength = (text: string): number => encoder.encode(text).length;
