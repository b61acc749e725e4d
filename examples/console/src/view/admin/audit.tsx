// Who did and read what, newest first.
import { useEffect, useState } from 'preact/hooks';
import { directory } from '../../api/directory';
import { wordsOf } from '../../api/problem';
import type { AuditEntry } from '../../api/types';
import { fullOf } from '../../state/time';
import { tell } from '../../state/toasts';
import { useApp } from '../use-app';

export function Audit() {
  const app = useApp();
  const [entries, setEntries] = useState<readonly AuditEntry[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const load = async (from: string | null): Promise<void> => {
    try {
      const page = await directory.audit(app.client, { limit: 50, ...(from ? { cursor: from } : {}) });
      setEntries((before) => (from ? [...before, ...page.data] : page.data));
      setCursor(page.has_more ? page.next_cursor : null);
    } catch (error) {
      tell(wordsOf(error), 'bad');
    }
  };
  useEffect(() => void load(null), []);
  return (
    <section>
      <h2>Audit log</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Audit log">
        <table>
          <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">On</th></tr></thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.position}><td>{fullOf(entry.ts)}</td><td dir="auto">{entry.actor?.name || entry.actor?.id || 'holdline'}</td><td>{entry.action}</td><td dir="auto">{entry.conversation ?? entry.object ?? ''}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {cursor && <button type="button" class="more" onClick={() => void load(cursor)}>Show more</button>}
    </section>
  );
}
