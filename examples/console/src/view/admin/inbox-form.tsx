// One inbox: its name, what it promises, when somebody is there, how its widget looks.
import type { Inbox } from '../../api/types';
import { useApp } from '../use-app';
import { ConsentFields } from './consent-fields';
import { DraftForm } from './draft-form';
import { GoalFields } from './goal-fields';
import { HoursFields } from './hours-fields';
import { TextInput } from './inputs';
import { useDraft } from './use-draft';
import { WidgetFields } from './widget-fields';

export function InboxForm({ inbox }: { inbox: Inbox }) {
  const { people } = useApp();
  const draft = useDraft<Inbox>('inbox', inbox, (saved) => {
    people.inboxes.value = people.inboxes.value.map((one) => (one.id === saved.id ? saved : one));
  });
  const { name, sla, business_hours, widget } = draft.value;
  return (
    <DraftForm label={`Inbox ${inbox.name}`} draft={draft}>
      <TextInput label="Name" at="/name" value={name} onChange={(text) => draft.set({ name: text })} isRequired />
      <GoalFields goals={sla} onChange={(goals) => draft.set({ sla: goals })} />
      <HoursFields hours={business_hours} onChange={(hours) => draft.set({ business_hours: hours })} />
      <WidgetFields widget={widget} onChange={(next) => draft.set({ widget: next })} />
      <ConsentFields consent={widget.consent} onChange={(consent) => draft.set({ widget: { ...widget, consent } })} />
    </DraftForm>
  );
}
