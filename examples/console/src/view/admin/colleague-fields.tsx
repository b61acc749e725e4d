// Who somebody is, what they may do, and which inboxes they see.
import { useApp } from '../use-app';
import { CheckInput, SelectInput, TextInput } from './inputs';
import type { AgentRole } from '../../api/types';

export interface Colleague {
  name: string;
  email: string | null;
  role: AgentRole;
  inboxes: string[];
}

const ROLES: readonly (readonly [AgentRole, string])[] = [
  ['agent', 'Agent: answers'],
  ['supervisor', 'Supervisor: sees and moves all of it'],
  ['admin', 'Admin: sets everything up'],
  ['auditor', 'Auditor: reads, also the audit log'],
  ['integration', 'Integration: a program'],
];

export function ColleagueFields({ value, site, onChange }: { value: Colleague; site: string | null; onChange: (part: Partial<Colleague>) => void }) {
  const inboxes = useApp().people.inboxes.value.filter((inbox) => site === null || inbox.site === site);
  const toggle = (id: string, isOn: boolean): void => onChange({ inboxes: isOn ? [...value.inboxes, id] : value.inboxes.filter((one) => one !== id) });
  return (
    <>
      <div class="row">
        <TextInput label="Name" at="/name" value={value.name} onChange={(name) => onChange({ name })} isRequired />
        <TextInput label="E-mail" at="/email" type="email" value={value.email ?? ''} onChange={(email) => onChange({ email: email || null })} />
        <SelectInput label="Role" at="/role" value={value.role} options={ROLES} onChange={(role) => onChange({ role })} />
      </div>
      <fieldset>
        <legend>Inboxes</legend>
        <div class="checks">{inboxes.map(({ id, name }) => <CheckInput key={id} label={name} value={value.inboxes.includes(id)} onChange={(isOn) => toggle(id, isOn)} />)}</div>
        <p class="soft hint">None ticked: all of them.</p>
      </fieldset>
    </>
  );
}
