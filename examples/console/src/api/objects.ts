// Things of the directory that people set up, as calls: made under an Idempotency-Key, changed by merge
// patch under their ETag.
import type { Client } from './client';
import { directory } from './directory';
import type { AuditEntry } from './types';

export interface Kept {
  id: string;
  etag: string;
}

export type ObjectKind = 'inbox' | 'agent' | 'site';

const PATHS: Record<ObjectKind, string> = { inbox: '/v1/inboxes', agent: '/v1/agents', site: '/v1/sites' };
const AUDIT_LOOKED_AT = 50;

const pathOf = (kind: ObjectKind, id: string): string => `${PATHS[kind]}/${encodeURIComponent(id)}`;

export const objects = {
  get: <T extends Kept>(client: Client, kind: ObjectKind, id: string) => client.call<T>(pathOf(kind, id)),
  change: <T extends Kept>(client: Client, kind: ObjectKind, { id, etag }: Kept, patch: object) =>
    client.call<T>(pathOf(kind, id), { method: 'PATCH', body: patch, headers: { 'if-match': etag } }),
  create: <T>(client: Client, path: string, body: object, key: string) =>
    client.call<T>(path, { method: 'POST', body, headers: { 'idempotency-key': `"${key}"` } }),
  deactivate: (client: Client, { id, etag }: Kept) =>
    client.call<void>(pathOf('agent', id), { method: 'DELETE', headers: { 'if-match': etag } }),
  revoke: (client: Client, key: string) => client.call<void>(`/v1/keys/${key}`, { method: 'DELETE' }),

  // Who changed it last, as the audit log has it; undefined if that is not to be found.
  lastChange: async (client: Client, kind: ObjectKind, id: string): Promise<AuditEntry | undefined> => {
    const page = await directory.audit(client, { action: `${kind}.updated`, limit: AUDIT_LOOKED_AT });
    return page.data.find(({ object }) => object === id);
  },
};
