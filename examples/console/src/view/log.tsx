// The transcript: begins at its end, goes back as somebody scrolls up, and stays at the end while they
// are there.
import type { ComponentChild } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { OutboxItem } from '../api/outbox';
import { now } from '../state/clock';
import { dayKeyOf, dayOf } from '../state/time';
import type { Transcript } from '../state/transcript';
import { EntryView } from './entry-view';
import { Icon } from './icon';
import { PendingView } from './pending-view';
import { useApp } from './use-app';

const NEAR_PX = 120;
const POSITIONS_MS = 4000;

export function Log({ id, name }: { id: string; name: string }) {
  const app = useApp();
  const transcript = app.transcript(id);
  const { entries, hasEarlier } = transcript.range.value;
  const pending = app.unconfirmed.value.filter((item) => item.conversation === id);
  const types = app.guests.at(id, now.value).visitorTypes;
  const scroll = useStickyScroll(transcript, `${entries.length} ${pending.length} ${types}`);
  useReading(transcript);
  return (
    <div class="log" ref={scroll.ref} onScroll={scroll.onScroll} tabIndex={0} role="group" aria-label="Messages">
      <div class="log-inside">
        {transcript.failure.value && <Failure transcript={transcript} />}
        {!transcript.isLoaded.value && !transcript.failure.value && <LogSkeleton />}
        {hasEarlier && transcript.isLoaded.value && (
          <button type="button" class="more" onClick={() => void transcript.earlier()}>{transcript.isLoadingEarlier.value ? 'Loading…' : 'Show earlier'}</button>
        )}
        <ol class="entries">{lines(transcript, pending, name)}</ol>
        {types && <p class="typing" aria-label="The visitor is typing"><span /><span /><span /></p>}
      </div>
      {scroll.hasNews && <button type="button" class="to-end" onClick={scroll.toEnd}>New messages <Icon name="download" size={14} /></button>}
    </div>
  );
}

function lines(transcript: Transcript, pending: readonly OutboxItem[], name: string): ComponentChild[] {
  const all: ComponentChild[] = [];
  const { entries } = transcript.range.value;
  let day = '';
  entries.forEach((entry, i) => {
    if (dayKeyOf(entry.ts) !== day) {
      day = dayKeyOf(entry.ts);
      all.push(<li key={`day ${entry.offset}`} class="day"><span>{dayOf(entry.ts, Date.now())}</span></li>);
    }
    const before = entries[i - 1];
    const isRun = before !== undefined && before.from.id === entry.from.id && before.kind === entry.kind && Date.parse(entry.ts) - Date.parse(before.ts) < 180_000;
    all.push(<EntryView key={entry.offset} entry={entry} isRun={isRun} positions={transcript.positions.value} name={name} />);
  });
  const known = new Set(entries.map(({ client_id }) => client_id));
  for (const item of pending) if (!known.has(item.clientId)) all.push(<PendingView key={item.clientId} item={item} />);
  return all;
}

function Failure({ transcript }: { transcript: Transcript }) {
  return (
    <p class="pane-failure" role="alert">
      <Icon name="alert" size={16} />{transcript.failure.value}
      <button type="button" class="small" onClick={() => void transcript.catchUp()}>Try again</button>
    </p>
  );
}

function LogSkeleton() {
  return <div class="log-skeleton" role="status" aria-label="Loading"><span /><span /><span /><span /></div>;
}

// The read mark follows what is shown; the visitor's marks are asked for while something may change.
function useReading(transcript: Transcript): void {
  const app = useApp();
  const last = transcript.last;
  useEffect(() => {
    if (last === 0) return undefined;
    const read = (): void => {
      void app.attention.read(transcript.id, last).then((isNew) => isNew && app.records.refresh(transcript.id));
    };
    const look = (): void => {
      if (document.visibilityState !== 'visible') return;
      const readTo = Math.max(0, ...transcript.positions.value.filter(({ role }) => role === 'visitor').map((one) => one.read));
      const ownLast = transcript.range.value.entries.findLast((entry) => entry.from.role !== 'visitor' && entry.kind === 'message')?.offset ?? 0;
      if (readTo < ownLast) void transcript.refreshPositions().catch(() => {});
    };
    read();
    look();
    const timer = setInterval(look, POSITIONS_MS);
    document.addEventListener('visibilitychange', read);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', read);
    };
  }, [app, transcript, last]);
}

function useStickyScroll(transcript: Transcript, size: string) {
  const ref = useRef<HTMLDivElement>(null);
  const at = useRef({ isEnd: true, height: 0, first: 0 });
  const [hasNews, setNews] = useState(false);
  const toEnd = (): void => ref.current?.scrollTo({ top: ref.current.scrollHeight });
  const first = transcript.range.value.entries[0]?.offset ?? 0;
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    if (first < at.current.first) box.scrollTop += box.scrollHeight - at.current.height; // older ones above
    else if (at.current.isEnd) toEnd();
    else setNews(true);
    at.current = { ...at.current, height: box.scrollHeight, first };
  }, [size, first]);
  useEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    const observer = new ResizeObserver(() => at.current.isEnd && toEnd());
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const onScroll = (): void => {
    const box = ref.current;
    if (!box) return;
    at.current.isEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    if (at.current.isEnd) setNews(false);
    if (box.scrollTop < NEAR_PX) void transcript.earlier();
  };
  return { ref, onScroll, hasNews, toEnd };
}
