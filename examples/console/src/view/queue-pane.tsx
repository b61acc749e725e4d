// The list of conversations: a view with its order, or a search.
import { useEffect, useRef } from 'preact/hooks';
import { NO_SEARCH } from '../state/queue';
import { route } from '../state/route';
import { SORT_LABELS, VIEW_LABELS, type Sort, type ViewKey } from '../state/view';
import { Icon, type IconName } from './icon';
import { QueueItem } from './queue-item';
import { SearchForm } from './search-form';
import { useApp } from './use-app';

const EMPTY_WORDS: Record<string, { icon: IconName; title: string; words: string }> = {
  unassigned: { icon: 'check', title: 'Nobody is waiting', words: 'New conversations appear here by themselves.' },
  mine: { icon: 'hand', title: 'Nothing on your desk', words: 'Claim a conversation from Unassigned and it is yours.' },
  open: { icon: 'stack', title: 'No open conversations', words: 'All answered and closed.' },
  closed: { icon: 'archive', title: 'Nothing closed yet', words: 'Closed conversations stay here, and can be reopened.' },
};

export function QueuePane() {
  const app = useApp();
  const { queue } = app;
  const items = queue.shown.value;
  const isSearching = queue.search.value !== null;
  const isFirstLoad = queue.isLoading.value && items.length === 0;
  return (
    <section class="queue" aria-labelledby="queue-title" aria-busy={queue.isLoading.value}>
      <header class="queue-head">
        <h1 id="queue-title" dir="auto">{isSearching ? 'Search' : titleOf(queue.view.value, app.people.inboxName.bind(app.people))}</h1>
        {!isSearching && <OrderSelect />}
        <button type="button" class="quiet" aria-label={isSearching ? 'Leave the search' : 'Search'} title={isSearching ? 'Leave the search' : 'Search ( / )'}
          aria-pressed={isSearching} onClick={() => (isSearching ? void queue.select(route.value.view) : (queue.search.value = NO_SEARCH))}>
          <Icon name={isSearching ? 'close' : 'search'} />
        </button>
      </header>
      {isSearching && <SearchForm />}
      {queue.failure.value && <p class="pane-failure" role="alert"><Icon name="alert" size={16} />{queue.failure.value}</p>}
      <div class="queue-scroll">
        {isFirstLoad ? <Skeletons /> : <ul class="items">{items.map((item) => <QueueItem key={item.id} conversation={item} />)}</ul>}
        {!isFirstLoad && items.length === 0 && <EmptyQueue isSearching={isSearching} view={queue.view.value} />}
        {queue.hasMore.value && <More />}
      </div>
    </section>
  );
}

function titleOf(view: ViewKey, inboxName: (id: string) => string): string {
  if (view.startsWith('inbox:')) return inboxName(view.slice('inbox:'.length)) || 'Inbox';
  if (view.startsWith('tag:')) return view.slice('tag:'.length);
  return VIEW_LABELS[view as keyof typeof VIEW_LABELS];
}

function OrderSelect() {
  const { queue } = useApp();
  return (
    <select class="order" aria-label="Order" value={queue.sort.value} onChange={(event) => void queue.order(event.currentTarget.value as Sort)}>
      {Object.entries(SORT_LABELS).map(([sort, label]) => <option key={sort} value={sort}>{label}</option>)}
    </select>
  );
}

function Skeletons() {
  return (
    <div class="skeletons" role="status" aria-label="Loading">
      {Array.from({ length: 7 }, (_, i) => <div class="skeleton-item" key={i}><span /><span /><span /></div>)}
    </div>
  );
}

function EmptyQueue({ isSearching, view }: { isSearching: boolean; view: ViewKey }) {
  const { icon, title, words } = isSearching
    ? { icon: 'search' as const, title: 'No conversations found', words: 'Words are looked for in messages, names, addresses and references.' }
    : (EMPTY_WORDS[view] ?? { icon: 'inbox' as const, title: 'Nothing here', words: 'Conversations appear here by themselves.' });
  return (
    <div class="empty">
      <span class="empty-icon"><Icon name={icon} size={26} /></span>
      <h2>{title}</h2>
      <p>{words}</p>
    </div>
  );
}

// The next page, once its place comes into sight.
function More() {
  const { queue } = useApp();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void queue.more(), { rootMargin: '400px' });
    if (button.current) observer.observe(button.current);
    return () => observer.disconnect();
  }, [queue]);
  return <button ref={button} type="button" class="more" onClick={() => void queue.more()}>{queue.isLoading.value ? 'Loading…' : 'Show more'}</button>;
}
