// One colleague: what they may do, their keys, and whether they still work here.
import { useState } from 'preact/hooks';
import { objects } from '../../api/objects';
import { wordsOf } from '../../api/problem';
import type { Agent } from '../../api/types';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';
import { ColleagueFields } from './colleague-fields';
import { ConfirmButton } from './confirm-button';
import { DraftForm } from './draft-form';
import { KeyList } from './key-list';
import { useDraft } from './use-draft';

export type Person = Agent & { etag: string; email: string | null; inboxes: string[] };

export function ColleagueForm({ agent }: { agent: Agent }) {
  const { people, client, me } = useApp();
  const [isBusy, setBusy] = useState(false);
  const given: Person = { ...agent, etag: agent.etag ?? '', email: agent.email ?? null, inboxes: agent.inboxes ?? [] };
  const keep = (saved: Agent): void => {
    people.agents.value = people.agents.value.map((one) => (one.id === saved.id ? saved : one));
  };
  const draft = useDraft<Person>('agent', given, keep);
  const isActive = agent.active !== false;
  const setActive = async (isWanted: boolean): Promise<void> => {
    setBusy(true);
    try {
      const now = await objects.get<Person>(client, 'agent', agent.id);
      if (isWanted) await objects.change(client, 'agent', now, { active: true });
      else await objects.deactivate(client, now);
      keep(await objects.get<Person>(client, 'agent', agent.id));
    } catch (error) {
      tell(wordsOf(error), 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <DraftForm label={agent.name} draft={draft} deeds={agent.id !== me.value.id && !isBusy && (isActive
        ? <ConfirmButton label="Deactivate" question={`Deactivate ${agent.name} and end all keys`} onConfirm={() => void setActive(false)} />
        : <button type="button" onClick={() => void setActive(true)}>Activate again</button>)}>
        <ColleagueFields value={draft.value} site={agent.site ?? null} onChange={(part) => draft.set(part)} />
      </DraftForm>
      {isActive && <KeyList agent={agent} />}
    </>
  );
}
