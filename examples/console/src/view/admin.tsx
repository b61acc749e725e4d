// What belongs to the house: canned replies, people, inboxes, and for those who may, the audit log.
import { useEffect, useState } from 'preact/hooks';
import { directory } from '../api/directory';
import { wordsOf } from '../api/problem';
import type { AuditEntry, CannedReply } from '../api/types';
import type { App } from '../state/app';
import { fullOf } from '../state/time';
import { tell } from '../state/toasts';
import { Icon } from './icon';
import { useApp } from './use-app';

export function Admin() {
  const app = useApp();
  const { role } = app.me.value;
  const canWrite = role === 'admin' || role === 'supervisor';
  return (
    <main class="admin" id="desk" tabIndex={-1}>
      <div class="admin-inside">
        <h1>Workspace</h1>
        <CannedReplies canWrite={canWrite} />
        <section>
          <h2>People</h2>
          <ul class="cards">
            {app.people.agents.value.map((agent) => (
              <li key={agent.id}><b dir="auto">{agent.name}</b><span class="soft">{agent.role}{agent.online ? ' · online' : ''}{agent.active === false ? ' · not active' : ''}</span></li>
            ))}
          </ul>
        </section>
        <section>
          <h2>Inboxes</h2>
          <ul class="cards">
            {app.people.inboxes.value.map(({ id, name, site, sla }) => (
              <li key={id}><b dir="auto">{name}</b><span class="soft">{site}{sla?.first_response_minutes ? ` · first reply within ${sla.first_response_minutes} min` : ''}</span></li>
            ))}
          </ul>
        </section>
        {(role === 'admin' || role === 'auditor') && <Audit />}
      </div>
    </main>
  );
}

async function attempt(app: App, deed: () => Promise<unknown>): Promise<boolean> {
  try {
    await deed();
    app.people.cannedReplies.value = await directory.cannedReplies(app.client);
    return true;
  } catch (error) {
    tell(wordsOf(error), 'bad');
    return false;
  }
}

function CannedReplies({ canWrite }: { canWrite: boolean }) {
  const app = useApp();
  const replies = app.people.cannedReplies.value;
  return (
    <section>
      <h2>Canned replies</h2>
      <p class="soft">Typed as <kbd>/</kbd> and the name in a reply. <code>{'{name}'}</code>, <code>{'{agent}'}</code> and <code>{'{reference}'}</code> are filled in.</p>
      <ul class="cards">{replies.map((reply) => <CannedCard key={`${reply.id} ${reply.etag ?? ''}`} reply={reply} canWrite={canWrite} />)}</ul>
      {replies.length === 0 && !canWrite && <p class="soft">There are none yet.</p>}
      {canWrite && <NewCanned site={app.me.value.site ?? app.people.inboxes.value[0]?.site ?? 'default'} />}
    </section>
  );
}

function CannedCard({ reply, canWrite }: { reply: CannedReply; canWrite: boolean }) {
  const app = useApp();
  const [text, setText] = useState(reply.text);
  return (
    <li class="canned-card">
      <b dir="auto">/{reply.shortcut}</b>
      {canWrite ? <textarea rows={2} dir="auto" aria-label={`Text of ${reply.shortcut}`} value={text} onInput={(event) => setText(event.currentTarget.value)} /> : <p dir="auto">{reply.text}</p>}
      {canWrite && (
        <span class="card-deeds">
          <button type="button" class="small" disabled={text === reply.text || !text.trim()} onClick={() => void attempt(app, () => directory.changeCannedReply(app.client, reply, { shortcut: reply.shortcut, text }))}>Save</button>
          <button type="button" class="small quiet" aria-label={`Delete ${reply.shortcut}`} onClick={() => void attempt(app, () => directory.removeCannedReply(app.client, reply))}><Icon name="close" size={14} /></button>
        </span>
      )}
    </li>
  );
}

function NewCanned({ site }: { site: string }) {
  const app = useApp();
  const [shortcut, setShortcut] = useState('');
  const [text, setText] = useState('');
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!shortcut.trim() || !text.trim()) return;
    if (!(await attempt(app, () => directory.addCannedReply(app.client, { site, shortcut: shortcut.trim(), text: text.trim() })))) return;
    setShortcut('');
    setText('');
  };
  return (
    <form class="new-canned" onSubmit={(event) => void add(event)}>
      <label class="field"><span>Name</span><input value={shortcut} placeholder="hours" onInput={(event) => setShortcut(event.currentTarget.value.toLowerCase().replace(/[^a-z0-9._-]/g, ''))} /></label>
      <label class="field grow"><span>Text</span><textarea rows={2} dir="auto" value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
      <button type="submit">Add</button>
    </form>
  );
}

function Audit() {
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
