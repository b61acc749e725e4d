// Search by words (of messages, names, addresses, references), status, inbox, tag and date.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { NO_SEARCH, type Search } from '../state/queue';
import { Icon } from './icon';
import { useApp } from './use-app';

const TYPING_MS = 300;

export function SearchForm() {
  const app = useApp();
  const [search, setSearch] = useState<Search>(app.queue.search.value ?? NO_SEARCH);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useLayoutEffect(() => input.current?.focus(), []); // before the next key
  useEffect(() => {
    void app.queue.find(search);
    return () => clearTimeout(timer.current);
  }, []);
  const set = (part: Partial<Search>): void => {
    const next = { ...search, ...part };
    setSearch(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void app.queue.find(next), TYPING_MS);
  };
  return (
    <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="search-words">
        <span class="unseen">Words, a name, an address or a reference</span>
        <Icon name="search" size={16} />
        <input ref={input} type="search" placeholder="Words, name, e-mail, reference" dir="auto" value={search.q} onInput={(event) => set({ q: event.currentTarget.value })} />
      </label>
      <div class="search-more">
        <label>Status
          <select value={search.status} onChange={(event) => set({ status: event.currentTarget.value })}>
            <option value="">any</option>
            <option value="open">open</option>
            <option value="closed">closed</option>
          </select>
        </label>
        <label>Inbox
          <select value={search.inbox} onChange={(event) => set({ inbox: event.currentTarget.value })}>
            <option value="">any</option>
            {app.people.inboxes.value.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        </label>
        <label>Tag
          <select value={search.tag} onChange={(event) => set({ tag: event.currentTarget.value })}>
            <option value="">any</option>
            {app.people.tags.value.map(({ tag }) => <option key={tag} value={tag}>{tag}</option>)}
          </select>
        </label>
        <label>From <input type="date" value={search.from} onChange={(event) => set({ from: event.currentTarget.value })} /></label>
        <label>To <input type="date" value={search.to} onChange={(event) => set({ to: event.currentTarget.value })} /></label>
      </div>
    </form>
  );
}
