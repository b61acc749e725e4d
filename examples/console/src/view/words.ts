// Names and sentences for what the API gives.
import type { Conversation, Entry } from '../api/types';

export function visitorName({ contact, identity, reference }: Conversation): string {
  return contact?.name || contact?.email || contact?.phone || identity || `Visitor ${reference.slice(-4)}`;
}

// A line of the timeline for a change of state.
export function stateWords(entry: Entry, who: string, whom: string, inbox: string): string {
  const body = entry.body as { tags?: string[]; custom_fields?: Record<string, unknown>; score?: number; comment?: string };
  switch (entry.kind) {
    case 'claimed':
      return `${who} took the conversation`;
    case 'released':
      return `${who} released the conversation`;
    case 'transferred':
      return `${who} transferred the conversation to ${whom === 'You' ? 'you' : whom}`;
    case 'moved':
      return `${who} moved the conversation to ${inbox || 'another inbox'}`;
    case 'closed':
      return `${who} closed the conversation`;
    case 'reopened':
      return `${who} reopened the conversation`;
    case 'rated':
      return `Rated ${body.score ?? '?'} of 5${body.comment ? `: ${body.comment}` : ''}`;
    case 'erased':
      return 'The contents were erased';
    case 'updated':
      if (body.tags) return body.tags.length ? `${who} set the tags: ${body.tags.join(', ')}` : `${who} removed the tags`;
      return `${who} changed the fields`;
    default:
      return entry.kind;
  }
}
