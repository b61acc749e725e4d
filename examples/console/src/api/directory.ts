// People, inboxes and texts of the house, as calls.
import type { Client } from './client';
import { queryOf } from './conversations';
import type { Agent, AuditEntry, Availability, CannedReply, Contact, Conversation, Inbox, Key, Page, Site, TagCount } from './types';

const PAGE = 200;

// A whole list, page by page.
async function all<T>(client: Client, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.call<Page<T>>(`${path}${queryOf({ limit: PAGE, cursor })}`);
    items.push(...page.data);
    if (!page.has_more || !page.next_cursor) return items;
    cursor = page.next_cursor;
  }
}

export const directory = {
  agents: (client: Client) => all<Agent>(client, '/v1/agents'),
  inboxes: (client: Client) => all<Inbox>(client, '/v1/inboxes'),
  sites: (client: Client) => all<Site>(client, '/v1/sites'),
  keys: (client: Client) => all<Key>(client, '/v1/keys'),
  cannedReplies: (client: Client) => all<CannedReply>(client, '/v1/canned-replies'),
  tags: (client: Client) => client.call<{ data: TagCount[] }>('/v1/tags'),
  contact: (client: Client, id: string) => client.call<Contact>(`/v1/contacts/${id}`),
  contactConversations: (client: Client, id: string) => client.call<Page<Conversation>>(`/v1/contacts/${id}/conversations`),
  availability: (client: Client, availability: Availability) =>
    client.call<Agent>('/v1/agent/availability', { method: 'PUT', body: { availability } }),
  audit: (client: Client, query: { cursor?: string; action?: string; limit: number }) =>
    client.call<Page<AuditEntry>>(`/v1/audit${queryOf(query)}`),
  addCannedReply: (client: Client, reply: { site: string; shortcut: string; text: string }) =>
    client.call<CannedReply>('/v1/canned-replies', {
      method: 'POST',
      body: reply,
      headers: { 'idempotency-key': `"${crypto.randomUUID()}"` },
    }),
  changeCannedReply: (client: Client, { id, etag }: CannedReply, change: { shortcut: string; text: string }) =>
    client.call<CannedReply>(`/v1/canned-replies/${id}`, { method: 'PATCH', body: change, headers: { 'if-match': etag } }),
  removeCannedReply: (client: Client, { id, etag }: CannedReply) =>
    client.call<void>(`/v1/canned-replies/${id}`, { method: 'DELETE', headers: { 'if-match': etag } }),
};
