// The views of the queue: which conversations are in one, in which order, and how the gateway is asked.
import type { Query } from '../api/conversations';
import type { Conversation } from '../api/types';

export type ViewName = 'unassigned' | 'mine' | 'open' | 'closed';
export type ViewKey = ViewName | `inbox:${string}` | `tag:${string}`;
export type Sort = 'due' | 'oldest' | 'newest' | 'updated';

export const VIEW_LABELS: Record<ViewName, string> = {
  unassigned: 'Unassigned',
  mine: 'Mine',
  open: 'All open',
  closed: 'Closed',
};

export const SORT_LABELS: Record<Sort, string> = {
  due: 'Most urgent',
  updated: 'Latest activity',
  newest: 'Newest',
  oldest: 'Oldest',
};

export function isViewKey(text: string): text is ViewKey {
  return Object.hasOwn(VIEW_LABELS, text) || /^(inbox|tag):./.test(text);
}

export function fits(key: ViewKey, conversation: Conversation, me: string): boolean {
  const isOpen = conversation.status === 'open';
  if (key === 'unassigned') return isOpen && conversation.assignee === null;
  if (key === 'mine') return isOpen && conversation.assignee === me;
  if (key === 'open') return isOpen;
  if (key === 'closed') return !isOpen;
  if (key.startsWith('inbox:')) return isOpen && conversation.inbox === key.slice('inbox:'.length);
  return conversation.tags.includes(key.slice('tag:'.length));
}

// "Most urgent" is an order of this console: the gateway lists those who wait, and all by activity.
export function sortsFor(key: ViewKey, sort: Sort): NonNullable<Query['sort']>[] {
  if (sort !== 'due') return [sort];
  return key === 'closed' ? ['updated'] : ['updated', 'oldest_unanswered'];
}

export function queryFor(key: ViewKey): Query {
  const query: Query = {};
  if (key === 'unassigned') return { ...query, status: 'open', assignee: 'none' };
  if (key === 'mine') return { ...query, status: 'open', assignee: 'me' };
  if (key === 'open') return { ...query, status: 'open' };
  if (key === 'closed') return { ...query, status: 'closed' };
  if (key.startsWith('inbox:')) return { ...query, status: 'open', inbox: key.slice('inbox:'.length) };
  return { ...query, tag: [key.slice('tag:'.length)] };
}

// When somebody has to act, for the order "most urgent": what waits longest, or is due first.
export function urgencyOf({ timers, waiting_since }: Conversation): string {
  return (timers.first_response_at ? null : timers.first_response_due_at) ?? timers.response_due_at ?? waiting_since ?? '~';
}

// Times are texts that sort as they stand, without the rules of any language.
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const COMPARE: Record<Sort, (a: Conversation, b: Conversation) => number> = {
  due: (a, b) => compare(urgencyOf(a), urgencyOf(b)) || compare(b.updated_at, a.updated_at),
  oldest: (a, b) => compare(a.opened_at, b.opened_at),
  newest: (a, b) => compare(b.opened_at, a.opened_at),
  updated: (a, b) => compare(b.updated_at, a.updated_at),
};

export function sorted(items: Iterable<Conversation>, sort: Sort): Conversation[] {
  return [...items].sort((a, b) => COMPARE[sort](a, b) || compare(a.id, b.id));
}
