// The views of the queue, and this agent.
import type { ComponentChildren } from 'preact';
import { directory } from '../api/directory';
import { wordsOf } from '../api/problem';
import type { Availability } from '../api/types';
import { signOut } from '../state/door';
import { formatRoute, route } from '../state/route';
import { tell } from '../state/toasts';
import { VIEW_LABELS, type ViewKey, type ViewName } from '../state/view';
import { Avatar } from './avatar';
import { ConnectionBadge } from './connection-badge';
import { Icon, Mark, type IconName } from './icon';
import type { Opened } from './keys';
import { Menu } from './menu';
import { useApp } from './use-app';

const VIEWS: { name: ViewName; icon: IconName }[] = [
  { name: 'unassigned', icon: 'inbox' },
  { name: 'mine', icon: 'user' },
  { name: 'open', icon: 'stack' },
  { name: 'closed', icon: 'archive' },
];
const TAGS_SHOWN = 6;

export function Rail({ onOpen }: { onOpen: (what: Opened) => void }) {
  const app = useApp();
  const inboxes = app.people.inboxes.value;
  const tags = app.people.tags.value.slice(0, TAGS_SHOWN);
  return (
    <nav class="rail" aria-label="Views">
      <div class="rail-head"><Mark /><span class="rail-brand">holdline</span></div>
      <ul class="rail-views">
        {VIEWS.map(({ name, icon }) => (
          <RailLink key={name} view={name} icon={icon}>{VIEW_LABELS[name]}</RailLink>
        ))}
      </ul>
      {inboxes.length > 1 && <RailGroup title="Inboxes">{inboxes.map(({ id, name }) => <RailLink key={id} view={`inbox:${id}`} icon="inbox">{name}</RailLink>)}</RailGroup>}
      {tags.length > 0 && <RailGroup title="Tags">{tags.map(({ tag, count }) => <RailLink key={tag} view={`tag:${tag}`} icon="tag" count={String(count)}>{tag}</RailLink>)}</RailGroup>}
      <div class="rail-foot">
        <ConnectionBadge />
        <Person onOpen={onOpen} />
      </div>
    </nav>
  );
}

function RailGroup({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="rail-group">
      <h2>{title}</h2>
      <ul>{children}</ul>
    </div>
  );
}

function RailLink({ view, icon, count, children }: { view: ViewKey; icon: IconName; count?: string; children: ComponentChildren }) {
  const app = useApp();
  const { place, view: current } = route.value;
  const counted = view === 'unassigned' || view === 'mine' || view === 'open' ? app.queue.counts.value[view] : null;
  const number = counted ? (counted.count ? `${counted.count}${counted.hasMore ? '+' : ''}` : '') : (count ?? '');
  return (
    <li>
      <a class="rail-link" href={formatRoute({ place: 'queue', view, conversation: null })}
        aria-current={place === 'queue' && current === view ? 'page' : undefined}>
        <Icon name={icon} />
        <span class="rail-label" dir="auto">{children}</span>
        {number && <span class={`count ${view === 'unassigned' ? 'hot' : ''}`}>{number}</span>}
      </a>
    </li>
  );
}

function Person({ onOpen }: { onOpen: (what: Opened) => void }) {
  const app = useApp();
  const me = app.me.value;
  const isAway = me.availability === 'away';
  const setAvailability = async (availability: Availability): Promise<void> => {
    try {
      await directory.availability(app.client, availability);
      app.me.value = { ...app.me.value, availability };
    } catch (error) {
      tell(wordsOf(error), 'bad');
    }
  };
  return (
    <Menu class="person" isNamedByFace label={`${me.name} ${isAway ? 'Away' : 'Available'}`} side="top" face={
      <>
        <span class={`avatar-with-dot ${isAway ? 'away' : 'here'}`}><Avatar name={me.name} seed={me.id} /></span>
        <span class="person-words"><b dir="auto">{me.name}</b><small>{isAway ? 'Away' : 'Available'}</small></span>
      </>
    } items={[
      isAway
        ? { label: 'I am available', icon: 'check', act: () => void setAvailability('online') }
        : { label: 'I am away', icon: 'moon', act: () => void setAvailability('away') },
      { label: 'Workspace', icon: 'shield', href: '#/admin' },
      { label: 'Settings', icon: 'gear', act: () => onOpen('settings') },
      { label: 'Keyboard shortcuts', icon: 'help', act: () => onOpen('help') },
      { label: 'Sign out', icon: 'out', act: () => void signOut() },
    ]} />
  );
}
