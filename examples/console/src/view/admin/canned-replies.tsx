// Texts for answers given often.
import { useState } from 'preact/hooks';
import { directory } from '../../api/directory';
import { wordsOf } from '../../api/problem';
import type { CannedReply } from '../../api/types';
import type { App } from '../../state/app';
import { tell } from '../../state/toasts';
import { Icon } from '../icon';
import { useApp } from '../use-app';

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

export function CannedReplies({ canWrite }: { canWrite: boolean }) {
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
