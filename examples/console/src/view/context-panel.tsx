// What is known of the visitor: contact, page, fields, tags, earlier conversations.
import { useEffect, useState } from 'preact/hooks';
import { directory } from '../api/directory';
import type { Conversation, Fields } from '../api/types';
import { now } from '../state/clock';
import { deeds } from '../state/deeds';
import { formatRoute, route } from '../state/route';
import { togglePanel } from '../state/panel';
import { clockOf, dayOf, spanOf, whenOf } from '../state/time';
import { Avatar } from './avatar';
import { Icon } from './icon';
import { TagEditor } from './tag-editor';
import { useApp } from './use-app';
import { visitorName } from './words';

export function ContextPanel({ id }: { id: string }) {
  const app = useApp();
  const conversation = app.records.get(id);
  if (!conversation) return <aside class="context" aria-label="Details" />;
  const { contact, context, custom_fields: fields, reference, timers } = conversation;
  return (
    <aside class="context" aria-label="Details">
      <button type="button" class="quiet context-close" aria-label="Close the details" onClick={togglePanel}><Icon name="close" /></button>
      <div class="context-person">
        <Avatar name={contact?.name ?? ''} seed={contact?.id ?? id} size="l" />
        <h2 dir="auto">{visitorName(conversation)}</h2>
        {contact?.verified && <span class="chip good"><Icon name="shield" size={12} />verified</span>}
      </div>
      <Rows rows={[
        ['E-mail', contact?.email, contact?.email ? `mailto:${encodeURIComponent(contact.email)}` : undefined],
        ['Phone', contact?.phone, contact?.phone ? `tel:${encodeURIComponent(contact.phone)}` : undefined],
        ['Reference', reference],
        ['Inbox', app.people.inboxName(conversation.inbox)],
        ['Opened', `${dayOf(conversation.opened_at, now.value)}, ${clockOf(conversation.opened_at)}`],
        ['First reply', timers.first_response_at ? delayOf(conversation.opened_at, timers.first_response_at) : null],
      ]} />
      <h3>Tags</h3>
      <TagEditor key={id} tags={conversation.tags} known={app.people.tags.value.map(({ tag }) => tag)}
        onEdit={(edit) => void deeds.retag(app, id, edit).then(() => app.people.loadTags())} />
      <FieldRows title="Visit" fields={context} />
      <FieldRows title="Fields" fields={fields} />
      <Earlier conversation={conversation} />
    </aside>
  );
}

function delayOf(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 1000 ? 'at once' : `after ${spanOf(ms)}`;
}

type Row = [name: string, value: string | null | undefined, href?: string | undefined];

function Rows({ rows }: { rows: Row[] }) {
  const shown = rows.filter(([, value]) => value);
  if (shown.length === 0) return null;
  return (
    <dl class="rows">
      {shown.map(([name, value, href]) => (
        <div key={name}><dt dir="auto">{name}</dt><dd dir="auto" title={value ?? ''}>{href ? <a href={href} rel="noreferrer noopener" target="_blank">{value?.replace(/^https?:\/\//, '')}</a> : value}</dd></div>
      ))}
    </dl>
  );
}

const LABELS: Record<string, string> = { page: 'Page', referrer: 'Came from', locale: 'Language', title: 'Title', time_zone: 'Time zone', user_agent: 'Browser' };

// Only plain web addresses become links: what a visitor sends may name any scheme.
function webAddress(value: string): string | undefined {
  return /^https?:\/\//i.test(value) ? value : undefined;
}

function FieldRows({ title, fields }: { title: string; fields: Fields }) {
  const rows = Object.entries(fields).filter(([, value]) => value !== null && value !== '' && typeof value !== 'object');
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <Rows rows={rows.map(([name, value]) => [LABELS[name] ?? name, String(value), webAddress(String(value))])} />
    </>
  );
}

function Earlier({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const [items, setItems] = useState<readonly Conversation[]>([]);
  const contact = conversation.contact?.id;
  useEffect(() => {
    let isCurrent = true;
    setItems([]);
    if (!contact) return undefined;
    directory.contactConversations(app.client, contact).then(({ data }) => isCurrent && setItems(data), () => {});
    return () => void (isCurrent = false);
  }, [app, contact]);
  const others = items.filter(({ id }) => id !== conversation.id);
  if (others.length === 0) return null;
  return (
    <>
      <h3>Earlier conversations</h3>
      <ul class="earlier">
        {others.map((item) => (
          <li key={item.id}>
            <a href={formatRoute({ ...route.value, conversation: item.id })} onClick={() => app.records.put([item])}>
              <span dir="auto">{item.last_message?.excerpt || item.reference}</span>
              <small>{whenOf(item.opened_at, now.value)} · {item.status}</small>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
