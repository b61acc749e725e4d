// A key for a colleague: the secret, which is in this answer only.
import type { Client } from '../../api/client';
import { objects } from '../../api/objects';
import type { Once } from '../../api/once';
import type { Key } from '../../api/types';

export async function makeKey(client: Client, { id }: { id: string }, once: Once): Promise<string> {
  const body = { agent: id, name: 'console' };
  const { secret } = await objects.create<Key>(client, '/v1/keys', body, once.keyFor(body));
  once.done();
  if (!secret) throw new Error('The key was made, but its secret was lost on the way. Revoke it and make another.');
  return secret;
}
