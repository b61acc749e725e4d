// How long the visitor has waited, and what the house has promised; ticks.
import type { Conversation } from '../api/types';
import { now } from '../state/clock';
import { countdownOf, fullOf, spanOf } from '../state/time';
import { Icon } from './icon';

const SOON_MS = 60_000;

interface Told {
  state: 'ok' | 'due_soon' | 'breached' | 'waiting';
  words: string;
  title: string;
}

export function timerOf({ status, timers, waiting_since }: Conversation, nowMs: number): Told | null {
  if (status === 'closed' || waiting_since === null) return null;
  const waited = nowMs - Date.parse(waiting_since);
  const since = `Waiting since ${fullOf(waiting_since)}`;
  const due = (timers.first_response_at ? null : timers.first_response_due_at) ?? timers.response_due_at;
  if (due === null) return { state: 'waiting', words: spanOf(waited), title: since };
  const left = Date.parse(due) - nowMs;
  if (left <= 0) return { state: 'breached', words: `${countdownOf(-left)} late`, title: `${since}; was due ${fullOf(due)}` };
  const state = left <= SOON_MS || timers.sla === 'due_soon' ? 'due_soon' : 'ok';
  return { state, words: `${countdownOf(left)} left`, title: `${since}; due ${fullOf(due)}` };
}

export function TimerPill({ conversation }: { conversation: Conversation }) {
  const told = timerOf(conversation, now.value);
  if (!told) return null;
  return (
    <span class={`chip timer ${told.state}`} title={told.title}>
      <Icon name={told.state === 'breached' ? 'alert' : 'clock'} size={12} />
      <span class="unseen">{told.state === 'breached' ? 'Overdue: ' : told.state === 'due_soon' ? 'Due soon: ' : 'Waits: '}</span>
      {told.words}
    </span>
  );
}
