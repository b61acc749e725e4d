// Inboxes: where conversations of a site arrive.
import { useRef, useState } from 'preact/hooks';
import { objects } from '../../api/objects';
import { Once } from '../../api/once';
import type { Inbox } from '../../api/types';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';
import { Fold } from './fold';
import { InboxForm } from './inbox-form';
import { SelectInput, TextInput } from './inputs';
import { ObjectForm } from './object-form';

export function Inboxes({ canWrite }: { canWrite: boolean }) {
  const inboxes = useApp().people.inboxes.value;
  return (
    <section class="inboxes">
      <h2>Inboxes</h2>
      {canWrite ? (
        <>
          <div class="folds">{inboxes.map((inbox) => <Fold key={inbox.id} title={inbox.name} words={wordsOf(inbox)}><InboxForm inbox={inbox} /></Fold>)}</div>
          <Fold title="New inbox"><NewInbox /></Fold>
        </>
      ) : (
        <ul class="cards">{inboxes.map((inbox) => <li key={inbox.id}><b dir="auto">{inbox.name}</b><span class="soft">{wordsOf(inbox)}</span></li>)}</ul>
      )}
    </section>
  );
}

function wordsOf({ site, sla, business_hours }: Inbox): string {
  const promise = sla.first_response_minutes ? ` · first reply within ${sla.first_response_minutes} min` : '';
  return `${site}${promise} · ${business_hours ? business_hours.time_zone : 'always open'}`;
}

function NewInbox() {
  const { people, client, me } = useApp();
  const once = useRef(new Once());
  const sites = people.sites.value;
  const [name, setName] = useState('');
  const [site, setSite] = useState(me.value.site ?? 'default');
  const add = async (): Promise<void> => {
    const body = { name: name.trim(), site };
    const made = await objects.create<Inbox>(client, '/v1/inboxes', body, once.current.keyFor(body));
    once.current.done();
    people.inboxes.value = [...people.inboxes.value, made];
    setName('');
    tell(`${made.name} is there. Open it to set its hours.`, 'good');
  };
  return (
    <ObjectForm label="New inbox" action="Add the inbox" canSave onSave={add}>
      <div class="row">
        <TextInput label="Name" at="/name" value={name} onChange={setName} isRequired />
        {sites.length > 1 && <SelectInput label="Site" at="/site" value={site} onChange={setSite} options={sites.map(({ id, name: words }) => [id, words || id] as const)} />}
      </div>
    </ObjectForm>
  );
}
