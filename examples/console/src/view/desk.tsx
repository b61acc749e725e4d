// One conversation: who it is, what was said, and where one answers.
import { useEffect } from 'preact/hooks';
import { go } from '../state/route';
import { Composer } from './composer';
import { DeskHead } from './desk-head';
import { Icon } from './icon';
import { Log } from './log';
import { useApp } from './use-app';
import { visitorName } from './words';

export function Desk({ id }: { id: string | null }) {
  const app = useApp();
  useEffect(() => {
    app.attention.view(id);
    if (!id) return;
    void app.transcript(id).catchUp();
    if (!app.records.get(id)) void app.records.load(id).catch(() => go({ conversation: null }));
  }, [app, id]);
  if (!id) return <EmptyDesk />;
  const conversation = app.records.get(id);
  return (
    <section aria-label="Conversation" class="desk" id="desk" tabIndex={-1} data-id={id}>
      {conversation ? (
        <>
          <DeskHead conversation={conversation} />
          <Log key={id} id={id} name={visitorName(conversation)} />
          <Composer key={`composer ${id}`} conversation={conversation} />
        </>
      ) : (
        <div class="desk-loading" role="status" aria-label="Loading" />
      )}
    </section>
  );
}

function EmptyDesk() {
  const count = useApp().queue.counts.value.unassigned.count;
  return (
    <section aria-label="Conversation" class="desk desk-empty" id="desk" tabIndex={-1}>
      <div class="empty large">
        <span class="empty-icon"><Icon name={count ? 'inbox' : 'check'} size={30} /></span>
        <h1>{count ? `${count} ${count === 1 ? 'conversation waits' : 'conversations wait'} for somebody` : 'All is answered'}</h1>
        <p>Choose one on the left, or press <kbd>j</kbd> and <kbd>c</kbd>. <kbd>?</kbd> shows all shortcuts.</p>
      </div>
    </section>
  );
}
