// Tells screen readers of new visitors' messages, and of nothing else.
import { textOf } from '../state/fold';
import { useApp } from './use-app';
import { visitorName } from './words';

export function Announcer() {
  const app = useApp();
  const entry = app.arrived.value;
  const conversation = entry && app.records.get(entry.conversation);
  return (
    <div class="unseen" role="log" aria-live="polite" aria-label="New messages">
      {entry && conversation && <p key={`${entry.conversation} ${entry.offset}`}>{`${visitorName(conversation)}: ${textOf(entry)}`}</p>}
    </div>
  );
}
