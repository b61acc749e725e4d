// The page: the door, or the queue and the desk.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { App } from '../state/app';
import { app, door } from '../state/door';
import { isPanelShown, leavePanel } from '../state/panel';
import { route } from '../state/route';
import { Admin } from './admin';
import { Announcer } from './announcer';
import { Banner } from './banner';
import { ContextPanel } from './context-panel';
import { Desk } from './desk';
import { HelpDialog } from './help-dialog';
import { listenToKeys, type Opened } from './keys';
import { QueuePane } from './queue-pane';
import { Rail } from './rail';
import { SettingsDialog } from './settings-dialog';
import { SignIn } from './sign-in';
import { ToastList } from './toast-list';
import { AppContext } from './use-app';

export function Shell() {
  const current = app.value;
  if (door.value === 'opening') return <div class="opening" role="status" aria-label="Opening" />;
  return current ? <Workplace key={current.me.value.id} app={current} /> : <SignIn />;
}

function Workplace({ app }: { app: App }) {
  const opened = useSignal<Opened>(null);
  const { place, view, conversation } = route.value;
  useEffect(() => listenToKeys(app, opened), [app, opened]);
  useEffect(() => {
    if (app.queue.view.value !== view || app.queue.search.value) void app.queue.select(view);
  }, [app, view]);
  useEffect(leavePanel, [conversation]);
  const hasContext = isPanelShown.value && conversation !== null;
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#desk" onClick={(event) => skipTo(event, 'desk')}>Skip to the conversation</a>
      <div class="shell" data-place={place} data-pane={conversation ? 'desk' : 'queue'} data-context={hasContext ? 'on' : 'off'}>
        <Rail onOpen={(what) => (opened.value = what)} />
        <Banner />
        {place === 'admin' ? (
          <Admin />
        ) : (
          <>
            <main class="work">
              <QueuePane />
              <Desk id={conversation} />
            </main>
            {hasContext && conversation && <ContextPanel id={conversation} />}
          </>
        )}
      </div>
      <Announcer />
      <ToastList />
      {opened.value === 'help' && <HelpDialog onClose={() => (opened.value = null)} />}
      {opened.value === 'settings' && <SettingsDialog onClose={() => (opened.value = null)} />}
    </AppContext.Provider>
  );
}

function skipTo(event: Event, id: string): void {
  event.preventDefault();
  document.getElementById(id)?.focus();
}
