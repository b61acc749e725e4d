// Conversations, as calls. Each change says in which state it expects the conversation.
import type { Client } from './client';
import type { Conversation, Fields, MessagePage, Page, Position, Stored } from './types';

export interface Query {
  status?: string;
  inbox?: string;
  assignee?: string;
  contact?: string;
  tag?: string[];
  opened_after?: string;
  opened_before?: string;
  q?: string;
  sort?: 'newest' | 'oldest' | 'updated' | 'oldest_unanswered' | 'due';
  limit?: number;
  cursor?: string;
}

export interface Change {
  status?: 'open' | 'closed';
  tags?: string[];
  custom_fields?: Fields;
}

export interface Letter {
  text: string;
  visibility: 'public' | 'internal';
  if_seen?: number;
}

export const TRANSCRIPT_FORMATS = {
  html: { label: 'Page (HTML)', type: 'text/html' },
  txt: { label: 'Text', type: 'text/plain' },
  json: { label: 'JSON', type: 'application/json' },
  ndjson: { label: 'NDJSON', type: 'application/x-ndjson' },
} as const;
export type TranscriptFormat = keyof typeof TRANSCRIPT_FORMATS;

export function queryOf(query: object): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((item) => params.append(name, String(item)));
    else if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

const at = (id: string, rest = ''): string => `/v1/conversations/${id}${rest}`;

export const conversations = {
  list: (client: Client, query: Query, signal?: AbortSignal) =>
    client.call<Page<Conversation>>(`/v1/conversations${queryOf(query)}`, { signal }),

  get: (client: Client, id: string) => client.call<Conversation>(at(id)),

  claim: (client: Client, id: string) =>
    client.call<Conversation>(at(id, '/assignee'), { method: 'PUT', headers: { 'if-none-match': '*' } }),

  transfer: (client: Client, { id, etag }: Conversation, to: { agent: string } | { inbox: string }) =>
    client.call<Conversation>(at(id, '/assignee'), { method: 'PUT', headers: { 'if-match': etag }, body: to }),

  release: (client: Client, { id, etag }: Conversation) =>
    client.call<Conversation>(at(id, '/assignee'), { method: 'DELETE', headers: { 'if-match': etag } }),

  change: (client: Client, { id, etag }: Conversation, change: Change) =>
    client.call<Conversation>(at(id), { method: 'PATCH', headers: { 'if-match': etag }, body: change }),

  // Forward after an offset, or backward before one (0 is the end).
  messages: (client: Client, id: string, page: { after?: number; before?: number; limit: number }) =>
    client.call<MessagePage>(at(id, `/messages${queryOf(page)}`)),

  write: (client: Client, id: string, clientId: string, letter: Letter, signal?: AbortSignal) =>
    client.call<Stored>(at(id, `/messages/${clientId}`), { method: 'PUT', body: letter, tries: 1, signal }),

  positions: (client: Client, id: string) => client.call<{ data: Position[] }>(at(id, '/positions')),

  read: (client: Client, id: string, read: number) =>
    client.call<{ read: number }>(at(id, '/positions/me'), { method: 'PUT', body: { read } }),

  presence: (client: Client, id: string, presence: { viewing: boolean; typing: boolean }) =>
    client.call<void>(at(id, '/presence'), { method: 'PUT', body: presence, tries: 1 }),

  transcript: async (client: Client, id: string, format: TranscriptFormat, hasNotes: boolean): Promise<Blob> => {
    const response = await client.send(at(id, `/transcript?internal=${hasNotes}`), {
      headers: { accept: TRANSCRIPT_FORMATS[format].type },
      timeoutMs: 120_000,
    });
    return response.blob();
  },
};
