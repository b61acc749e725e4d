// The keys somebody signs in with: made, and ended at once.
import { useEffect, useRef, useState } from 'preact/hooks';
import { directory } from '../../api/directory';
import { objects } from '../../api/objects';
import { Once } from '../../api/once';
import { wordsOf } from '../../api/problem';
import type { Agent, Key } from '../../api/types';
import { fullOf } from '../../state/time';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';
import { ConfirmButton } from './confirm-button';
import { KeyDialog } from './key-dialog';
import { makeKey } from './make-key';

export function KeyList({ agent }: { agent: Agent }) {
  const { client } = useApp();
  const once = useRef(new Once());
  const [keys, setKeys] = useState<readonly Key[]>([]);
  const [secret, setSecret] = useState<string | null>(null);
  const attempt = async (deed: () => Promise<void>): Promise<void> => {
    try {
      await deed();
      setKeys((await directory.keys(client)).filter((key) => key.agent === agent.id && !key.revoked_at));
    } catch (error) {
      tell(wordsOf(error), 'bad');
    }
  };
  useEffect(() => void attempt(async () => {}), []);
  return (
    <div class="keys">
      <h3>Keys</h3>
      <ul class="cards">
        {keys.map(({ id, name, last_used_at }) => (
          <li key={id}>
            <b dir="auto">{name}</b><span class="soft">{last_used_at ? `last used ${fullOf(last_used_at)}` : 'never used'}</span>
            <ConfirmButton label="Revoke" question="Revoke it, at once" onConfirm={() => void attempt(() => objects.revoke(client, id))} />
          </li>
        ))}
      </ul>
      <div class="form-deeds">
        <button type="button" onClick={() => void attempt(async () => setSecret(await makeKey(client, agent, once.current)))}>New key</button>
      </div>
      {secret && <KeyDialog name={agent.name} secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}
