// The form of a draft: saves what was changed, and if somebody was faster says who.
import type { ComponentChildren } from 'preact';
import type { Kept } from '../../api/objects';
import { clockOf } from '../../state/time';
import { ObjectForm } from './object-form';
import type { Conflict, Draft } from './use-draft';

interface DraftFormProps<T> {
  label: string;
  draft: Draft<T>;
  children: ComponentChildren;
  deeds?: ComponentChildren;
}

export function DraftForm<T extends Kept>({ label, draft, children, deeds }: DraftFormProps<T>) {
  const { conflict } = draft;
  return (
    <ObjectForm label={label} action={conflict ? 'Save mine over it' : 'Save'} canSave={draft.isChanged} onSave={conflict ? draft.keepMine : draft.save}
      deeds={<>{conflict && <button type="button" onClick={draft.takeTheirs}>Show theirs</button>}{deeds}</>}>
      {children}
      {conflict && <p role="alert" class="conflict">{wordsOfConflict(conflict)}</p>}
    </ObjectForm>
  );
}

function wordsOfConflict<T>({ change }: Conflict<T>): string {
  const who = change?.actor?.name || 'Somebody';
  const when = change ? ` at ${clockOf(change.ts)}` : '';
  return `${who} changed this${when}, after you had opened it. Yours is not saved yet. “Save mine over it” keeps what they changed elsewhere.`;
}
