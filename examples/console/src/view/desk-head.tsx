// Whose conversation it is, and what can be done with it.
import { conversations, TRANSCRIPT_FORMATS, type TranscriptFormat } from '../api/conversations';
import { wordsOf } from '../api/problem';
import type { Conversation } from '../api/types';
import type { App } from '../state/app';
import { now } from '../state/clock';
import { deeds } from '../state/deeds';
import { formatRoute, route } from '../state/route';
import { isPanelShown, togglePanel } from '../state/panel';
import { tell } from '../state/toasts';
import { Icon } from './icon';
import { focusComposer } from './keys';
import { Menu, type MenuItem } from './menu';
import { TimerPill } from './timer-pill';
import { useApp } from './use-app';
import { visitorName } from './words';

export function DeskHead({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { id, status, assignee } = conversation;
  const isClosed = status === 'closed';
  const { agents, visitorIsHere } = app.guests.at(id, now.value);
  const others = agents.filter((guest) => guest.id !== app.me.value.id);
  return (
    <header class="desk-head">
      <a class="button quiet back" href={formatRoute({ ...route.value, conversation: null })} aria-label="Back to the list"><Icon name="back" /></a>
      <div class="desk-who">
        <h1 dir="auto">{visitorName(conversation)}</h1>
        <p class="desk-sub">
          <span class={`state ${isClosed ? 'closed' : assignee ? 'taken' : 'free'}`}>{isClosed ? 'Closed' : assignee ? `With ${assignee === app.me.value.id ? 'you' : app.assigneeOf(conversation)}` : 'Unassigned'}</span>
          {visitorIsHere !== null && <span class={`here-now ${visitorIsHere ? 'on' : ''}`}>{visitorIsHere ? 'on the page' : 'left the page'}</span>}
          <TimerPill conversation={conversation} />
          {others.length > 0 && (
            <span class="chip here"><Icon name="eye" size={12} /><span dir="auto">{others.map((guest) => `${app.nameOfAgent(guest.id)}${guest.types ? ' is typing' : ' is here'}`).join(', ')}</span></span>
          )}
        </p>
      </div>
      <div class="desk-deeds">
        {!isClosed && !assignee && <button type="button" class="primary" title="Claim ( c )" onClick={() => void deeds.claim(app, id).then((isMine) => isMine && focusComposer())}>Claim</button>}
        {!isClosed && <TransferMenu conversation={conversation} />}
        <button type="button" aria-label={isClosed ? 'Reopen' : 'Close'} title={`${isClosed ? 'Reopen' : 'Close'} ( e )`} onClick={() => void deeds.change(app, id, { status: isClosed ? 'open' : 'closed' })}>
          <Icon name={isClosed ? 'reopen' : 'check'} size={16} /><span class="wide-only">{isClosed ? 'Reopen' : 'Close'}</span>
        </button>
        <Menu label="More" face={<Icon name="more" />} items={moreItems(app, conversation)} class="right" />
        <button type="button" class="quiet" aria-label="Details" title="Details" aria-pressed={isPanelShown.value} onClick={togglePanel}><Icon name="panel" /></button>
      </div>
    </header>
  );
}

function TransferMenu({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { id, assignee, inbox } = conversation;
  const agents = app.people.agents.value.filter((agent) => agent.id !== assignee && agent.active !== false && agent.role !== 'integration' && agent.role !== 'auditor');
  const items: MenuItem[] = [
    ...agents.map((agent) => ({
      label: agent.id === app.me.value.id ? 'Me' : agent.name,
      icon: 'user' as const,
      detail: agent.online ? 'online' : '',
      act: () => void deeds.transfer(app, id, { agent: agent.id }),
    })),
    ...app.people.inboxes.value.filter((one) => one.id !== inbox).map((one) => ({
      label: one.name,
      icon: 'inbox' as const,
      detail: 'inbox',
      act: () => void deeds.transfer(app, id, { inbox: one.id }),
    })),
  ];
  return <Menu label="Transfer" face={<><Icon name="swap" size={16} /><span class="wide-only">Transfer</span></>} items={items} class="right" emptyWords="There is nobody else, and no other inbox." />;
}

function moreItems(app: App, conversation: Conversation): MenuItem[] {
  const { id, assignee } = conversation;
  const formats = Object.entries(TRANSCRIPT_FORMATS) as [TranscriptFormat, { label: string }][];
  return [
    ...(assignee ? [{ label: 'Release', icon: 'hand' as const, act: () => void deeds.release(app, id) }] : []),
    ...formats.map(([format, { label }]) => ({
      label: `Transcript: ${label}`,
      icon: 'download' as const,
      act: () => void download(app, conversation, format),
    })),
  ];
}

async function download(app: App, { id, reference }: Conversation, format: TranscriptFormat): Promise<void> {
  try {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await conversations.transcript(app.client, id, format, true));
    link.download = `${reference}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    tell(wordsOf(error), 'bad');
  }
}
