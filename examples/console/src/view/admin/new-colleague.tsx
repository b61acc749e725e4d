// A new colleague, with the key they sign in with.
import { useRef, useState } from 'preact/hooks';
import { objects } from '../../api/objects';
import { Once } from '../../api/once';
import { wordsOf } from '../../api/problem';
import type { Agent } from '../../api/types';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';
import { ColleagueFields, type Colleague } from './colleague-fields';
import { KeyDialog } from './key-dialog';
import { makeKey } from './make-key';
import { ObjectForm } from './object-form';

const NOBODY: Colleague = { name: '', email: null, role: 'agent', inboxes: [] };

export function NewColleague() {
  const { people, client, me } = useApp();
  const once = useRef(new Once());
  const [colleague, setColleague] = useState(NOBODY);
  const [given, setGiven] = useState<{ name: string; secret: string } | null>(null);
  const site = me.value.site ?? null;
  const add = async (): Promise<void> => {
    const body = { ...colleague, name: colleague.name.trim(), ...(site ? { site } : {}) };
    const made = await objects.create<Agent>(client, '/v1/agents', body, once.current.keyFor(body));
    once.current.done();
    people.agents.value = [...people.agents.value, made];
    setColleague(NOBODY);
    try {
      setGiven({ name: made.name, secret: await makeKey(client, made, new Once()) });
    } catch (error) {
      tell(`${made.name} is there, but without a key: ${wordsOf(error)}`, 'bad');
    }
  };
  return (
    <ObjectForm label="New colleague" action="Add and make a key" canSave onSave={add}>
      <ColleagueFields value={colleague} site={site} onChange={(part) => setColleague((now) => ({ ...now, ...part }))} />
      {given && <KeyDialog {...given} onClose={() => setGiven(null)} />}
    </ObjectForm>
  );
}
