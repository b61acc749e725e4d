// What an entry does to the conversation it belongs to, as far as it can be told here; the gateway's own
// word (etag, timers) is fetched after it.
import type { Conversation, Entry, Fields } from '../api/types';

const EXCERPT_SIZE = 280;

export function textOf(entry: Entry): string {
  const { text, message } = entry.body as { text?: unknown; message?: { text?: unknown } };
  if (typeof text === 'string') return text;
  return typeof message?.text === 'string' ? message.text : '';
}

function isSpeech(entry: Entry): boolean {
  return entry.kind === 'message' || entry.kind === 'form';
}

function mergeFields(fields: Fields, patch: Fields): Fields {
  const merged = { ...fields, ...patch };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

function foldSpeech(conversation: Conversation, entry: Entry, me: string): Conversation {
  const isVisitor = entry.from.role === 'visitor';
  const excerpt = textOf(entry).slice(0, EXCERPT_SIZE);
  return {
    ...conversation,
    waiting_since: isVisitor ? (conversation.waiting_since ?? entry.ts) : null,
    unread: isVisitor ? conversation.unread + 1 : entry.from.id === me ? 0 : conversation.unread,
    last_message: { offset: entry.offset, from_role: entry.from.role, ts: entry.ts, excerpt },
  };
}

function foldUpdate(conversation: Conversation, entry: Entry): Conversation {
  const { tags, custom_fields } = entry.body as { tags?: string[]; custom_fields?: Fields };
  return {
    ...conversation,
    tags: tags ?? conversation.tags,
    custom_fields: custom_fields ? mergeFields(conversation.custom_fields, custom_fields) : conversation.custom_fields,
  };
}

function foldState(conversation: Conversation, entry: Entry): Conversation {
  const next = foldUpdate(conversation, entry);
  const subject = entry.subject ?? null;
  switch (entry.kind) {
    case 'claimed':
    case 'transferred':
      return { ...next, assignee: subject, assignee_name: null, claimed_at: entry.ts };
    case 'released':
      return { ...next, assignee: null, assignee_name: null, claimed_at: null };
    case 'moved':
      return { ...next, inbox: subject, assignee: null, assignee_name: null, claimed_at: null };
    case 'closed':
      return { ...next, status: 'closed', waiting_since: null };
    case 'reopened':
      return { ...next, status: 'open' };
    case 'erased':
      return { ...next, erased: true, last_message: null, contact: null, context: {}, custom_fields: {} };
    default:
      return next;
  }
}

export function fold(conversation: Conversation, entry: Entry, me: string): Conversation {
  if (entry.offset <= conversation.head) return conversation;
  const next = isSpeech(entry) ? foldSpeech(conversation, entry, me) : foldState(conversation, entry);
  return { ...next, etag: '', head: entry.offset, updated_at: entry.ts }; // the gateway may have a new etag
}
