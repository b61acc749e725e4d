// What screen readers say: each new message of others once, and how things stand. Two regions of
// their own, so that neither history nor one's own words nor redrawing is ever read out.
import { el, write } from './dom';

const KEPT_MS = 10_000;

export class Announcer {
  readonly log = el('div', { class: 'sr', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions' });
  readonly status = el('div', { class: 'sr', role: 'status' });

  message(text: string): void {
    const line = el('p', {}, text);
    this.log.append(line);
    setTimeout(() => line.remove(), KEPT_MS);
  }

  state(text: string): void {
    write(this.status, text);
  }
}
