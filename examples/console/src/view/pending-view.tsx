// What is written and not confirmed yet, or was refused.
import type { OutboxItem } from '../api/outbox';
import { textOf } from '../state/fold';
import { Icon } from './icon';
import { useApp } from './use-app';

export function PendingView({ item }: { item: OutboxItem }) {
  const { failure, visibility, text } = item;
  const kind = visibility === 'internal' ? 'note' : 'message';
  return (
    <li class={`entry ours ${kind} ${failure ? 'failed' : 'pending'}`} data-client-id={item.clientId}>
      <div class="bubble"><p class="text" dir="auto">{text}</p></div>
      {failure ? <Refused item={item} /> : <p class="entry-foot"><Icon name="clock" size={13} />sending</p>}
    </li>
  );
}

function Refused({ item }: { item: OutboxItem }) {
  const app = useApp();
  const { failure, clientId, conversation } = item;
  const isStale = failure?.code === 'stale';
  const takeBack = (): void => {
    const dropped = app.outbox.drop(clientId);
    if (dropped) app.drafts.set(conversation, { text: dropped.text, isNote: dropped.visibility === 'internal' });
  };
  const missed = (failure?.missed ?? []).filter((entry) => textOf(entry));
  return (
    <div class="refused" role="alert">
      <p><Icon name="alert" size={15} />{isStale ? 'Not sent: something came in before it.' : `Not sent: ${failure?.words ?? ''}`}</p>
      {isStale && missed.length > 0 && <ul>{missed.map((entry) => <li key={entry.offset} dir="auto">{textOf(entry)}</li>)}</ul>}
      <div class="refused-deeds">
        <button type="button" class="small primary" onClick={() => app.outbox.retry(clientId, isStale ? (failure?.head ?? null) : undefined)}>{isStale ? 'Send anyway' : 'Try again'}</button>
        <button type="button" class="small" onClick={takeBack}>Edit</button>
        <button type="button" class="small" onClick={() => app.outbox.drop(clientId)}>Discard</button>
      </div>
    </div>
  );
}
