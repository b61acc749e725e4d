// Says what the connection is worth when it is not live; silence means live.
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon';
import { useApp } from './use-app';

const PATIENCE_MS = 1200;

export function Banner() {
  const app = useApp();
  const isLive = app.feedState.value.kind === 'live';
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (isLive) return undefined;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLive]);
  const waiting = app.unconfirmed.value.filter((item) => !item.failure).length;
  if (!app.isOutboxDurable.value && waiting > 0) {
    return <p class="banner bad" role="alert"><Icon name="alert" />This browser stores nothing: what is not sent yet is lost when you leave.</p>;
  }
  if (isLive || !isLate) return null;
  return (
    <div class="banner" role="status">
      <Icon name="alert" />
      <span>
        <b>No connection.</b> You see how things were. What you write is kept and sent once when it is back
        {waiting > 0 ? `; ${waiting} ${waiting === 1 ? 'message waits' : 'messages wait'}` : ''}.
      </span>
      <button type="button" class="small" onClick={() => app.wake()}>Try now</button>
    </div>
  );
}
