// Frames as they travel: docs/protocol.md.
import type { Kind, Message } from './types.js';

export interface Frame {
  t: string;
  [member: string]: any;
}

export const textOf = (body: any): string => String((body && body.text) || '');

export function toMessage(frame: Frame, me: string | undefined): Message {
  const message = {
    conversation: frame.c as string,
    epoch: frame.e as string,
    offset: frame.o as number,
    clientId: frame.mid as string,
    from: frame.from,
    own: frame.from.id === me,
    at: frame.ts as string,
    kind: frame.kind as Kind,
    text: textOf(frame.body),
    body: frame.body || {},
  };
  return frame.subject ? { ...message, subject: frame.subject } : message;
}

// What stands before it, as far as this visitor can see: rule 3.
export const before = (frame: Frame): number => (frame.after === undefined ? frame.o - 1 : frame.after);

const BATCH_MAX = 128; // frames
const BATCH_CHARS = 16000; // a character has at most three bytes

// As many of the first ones as fit into one message; one at least.
export function fitting(frames: Frame[]): Frame[] {
  let chars = 0;
  const end = frames.findIndex((frame, i) => i === BATCH_MAX || ((chars += JSON.stringify(frame).length) > BATCH_CHARS && i > 0));
  return end < 0 ? frames : frames.slice(0, end);
}

// JSON of its own, without what the gateway must refuse: U+0000 and half characters.
export const cleanBody = (body: unknown): Record<string, unknown> =>
  JSON.parse(JSON.stringify(body, (_, value) => (typeof value === 'string' ? value.replace(/[\0\p{Cs}]/gu, '\ufffd') : value)));
