// Times in words.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// "now", "4m", "2h 05m", "3d"
export function spanOf(ms: number): string {
  if (ms < MINUTE) return ms < 1000 ? 'now' : `${Math.floor(ms / 1000)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${String(Math.floor((ms % HOUR) / MINUTE)).padStart(2, '0')}m`;
  return `${Math.floor(ms / DAY)}d`;
}

// A span that counts down to the second near its end: "0:42", "4:05", "2h 05m"
export function countdownOf(ms: number): string {
  if (ms >= HOUR) return spanOf(ms);
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

export const clockOf = (ts: string): string => clock.format(new Date(ts));
export const fullOf = (ts: string): string => full.format(new Date(ts));
export const dayKeyOf = (ts: string): string => new Date(ts).toDateString();

export function dayOf(ts: string, nowMs: number): string {
  const date = new Date(ts);
  const today = new Date(nowMs);
  if (date.toDateString() === today.toDateString()) return 'Today';
  if (date.toDateString() === new Date(nowMs - DAY).toDateString()) return 'Yesterday';
  return date.getFullYear() === today.getFullYear() ? day.format(date) : dayAndYear.format(date);
}

// For a list: the clock today, the date before.
export function whenOf(ts: string, nowMs: number): string {
  return dayKeyOf(ts) === new Date(nowMs).toDateString() ? clockOf(ts) : short.format(new Date(ts));
}
