// One entry: something said, a note, an enquiry, or a change of state.
import type { Entry, Position } from '../api/types';
import { textOf } from '../state/fold';
import { clockOf, fullOf } from '../state/time';
import { Icon } from './icon';
import { useApp } from './use-app';
import { stateWords } from './words';

interface Props {
  entry: Entry;
  isRun: boolean;
  name: string; // the visitor's
  positions: readonly Position[];
}

export function EntryView({ entry, isRun, name, positions }: Props) {
  const app = useApp();
  const who = entry.from.role === 'visitor' ? name : entry.from.role === 'agent' ? app.nameOfAgent(entry.from.id) : entry.from.role === 'system' ? 'The gateway' : app.people.nameOf(entry.from.id) || 'An integration';
  if (entry.kind !== 'message' && entry.kind !== 'note' && entry.kind !== 'form') {
    const whom = app.nameOfAgent(entry.subject);
    return (
      <li class="event" data-kind={entry.kind}>
        <span dir="auto">{entry.kind === 'claimed' && entry.subject && entry.subject !== entry.from.id ? `${who} gave the conversation to ${whom}` : stateWords(entry, who, whom, app.people.inboxName(entry.subject ?? null))}</span>
        <time dateTime={entry.ts} title={fullOf(entry.ts)}>{clockOf(entry.ts)}</time>
      </li>
    );
  }
  const isTheirs = entry.from.role === 'visitor';
  return (
    <li class={`entry ${entry.kind} ${isTheirs ? 'theirs' : 'ours'} ${isRun ? 'run' : ''}`} data-offset={entry.offset}>
      {!isRun && <p class="entry-who" dir="auto">{entry.kind === 'note' && <Icon name="note" size={13} />}{isTheirs ? (entry.kind === 'form' ? `${name} · form` : name) : who}{entry.kind === 'note' && <span> · note, for the team only</span>}</p>}
      <div class="bubble">
        {entry.erased ? <em class="soft">erased</em> : <Words entry={entry} />}
      </div>
      <p class="entry-foot">
        <time dateTime={entry.ts} title={fullOf(entry.ts)}>{clockOf(entry.ts)}</time>
        {!isTheirs && entry.kind === 'message' && <Mark offset={entry.offset} positions={positions} />}
      </p>
    </li>
  );
}

function Words({ entry }: { entry: Entry }) {
  const text = textOf(entry);
  if (entry.kind !== 'form') return <p class="text" dir="auto">{text}</p>;
  const { contact = {}, fields = {}, consent = {}, country } = entry.body as Record<string, Record<string, unknown>> & { country?: string };
  const rows = Object.entries({ ...contact, ...fields, ...(country ? { country } : {}) }).filter(([, value]) => value !== null && value !== '' && typeof value !== 'object');
  const agreed = Object.entries(consent);
  return (
    <>
      {text && <p class="text" dir="auto">{text}</p>}
      {rows.length > 0 && <dl class="form-rows">{rows.map(([name, value]) => <div key={name}><dt dir="auto">{name}</dt><dd dir="auto">{String(value)}</dd></div>)}</dl>}
      {agreed.length > 0 && <p class="consent" dir="auto">Consent: {agreed.map(([name, value]) => `${name} ${value === true ? 'yes' : value === false ? 'no' : String(value)}`).join(', ')}</p>}
    </>
  );
}

// How far it got: stored, delivered to the visitor's device, read.
function Mark({ offset, positions }: { offset: number; positions: readonly Position[] }) {
  const visitors = positions.filter(({ role }) => role === 'visitor');
  const state = visitors.some(({ read }) => read >= offset) ? 'read' : visitors.some(({ delivered }) => delivered >= offset) ? 'delivered' : 'sent';
  return <span class={`mark-state ${state}`}><Icon name={state === 'sent' ? 'check' : 'checks'} size={14} />{state}</span>;
}
