// One conversation in the list.
import type { Conversation } from '../api/types';
import { now } from '../state/clock';
import { formatRoute, route } from '../state/route';
import { fullOf, whenOf } from '../state/time';
import { Avatar } from './avatar';
import { Icon } from './icon';
import { TimerPill } from './timer-pill';
import { useApp } from './use-app';
import { visitorName } from './words';

export function QueueItem({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { id, unread, last_message: last, tags, status, assignee } = conversation;
  const name = visitorName(conversation);
  const isCurrent = route.value.conversation === id;
  const guests = app.guests.at(id, now.value);
  const others = guests.agents.filter((guest) => guest.id !== app.me.value.id);
  const who = assignee && assignee !== app.me.value.id ? app.assigneeOf(conversation) : '';
  return (
    <li>
      <a class={`item ${unread > 0 ? 'unread' : ''}`} data-id={id} aria-current={isCurrent ? 'true' : undefined}
        href={formatRoute({ ...route.value, place: 'queue', conversation: id })}>
        <Avatar name={conversation.contact?.name ?? ''} seed={conversation.contact?.id ?? id} />
        <span class="item-line">
          <b class="item-name" dir="auto">{name}</b>
          <time dateTime={conversation.updated_at} title={fullOf(conversation.updated_at)}>{whenOf(last?.ts ?? conversation.updated_at, now.value)}</time>
        </span>
        <span class="item-line">
          <span class="item-last" dir="auto">
            {guests.visitorTypes ? <em>is typing…</em> : conversation.erased ? <em>erased</em> : <>{last && last.from_role !== 'visitor' && <Icon name="reply" size={12} />}{last?.excerpt ?? 'No message yet'}</>}
          </span>
          {unread > 0 && <span class="badge" aria-label={`${unread} unread`}>{unread > 99 ? '99+' : unread}</span>}
        </span>
        <span class="item-line item-chips">
          <TimerPill conversation={conversation} />
          {status === 'closed' && <span class="chip">Closed</span>}
          {who && <span class="chip" dir="auto"><Icon name="user" size={12} />{who}</span>}
          {tags.slice(0, 2).map((tag) => <span key={tag} class="chip tag" dir="auto">{tag}</span>)}
          {tags.length > 2 && <span class="chip">+{tags.length - 2}</span>}
          {others.length > 0 && <span class="chip here" title={`${others.map((guest) => app.nameOfAgent(guest.id)).join(', ')} is looking at this`}><Icon name="eye" size={12} />{others.length}</span>}
        </span>
      </a>
    </li>
  );
}
