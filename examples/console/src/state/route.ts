// Where one is, in the fragment: #/VIEW/CONVERSATION. Back and forward work, and nothing of it reaches
// a server.
import { signal } from '@preact/signals';
import { isViewKey, type ViewKey } from './view';

export type Place = 'queue' | 'admin';

export interface Route {
  place: Place;
  view: ViewKey;
  conversation: string | null;
}

export function parseRoute(hash: string): Route {
  const [place = '', id = ''] = hash.replace(/^#\/?/, '').split('/').map(safeDecode);
  if (place === 'admin') return { place: 'admin', view: 'unassigned', conversation: null };
  return {
    place: 'queue',
    view: isViewKey(place) ? place : 'unassigned',
    conversation: /^cnv_[0-9a-f]{32}$/.test(id) ? id : null,
  };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function formatRoute({ place, view, conversation }: Route): string {
  if (place === 'admin') return '#/admin';
  return `#/${encodeURIComponent(view)}${conversation ? `/${conversation}` : ''}`;
}

// The key that ./dev run puts into the address: taken out of it, and of the history, at once.
export function takeKey(): string | null {
  const [, key] = /^#key=(.+)$/.exec(location.hash) ?? [];
  if (!key) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return key;
}

export const route = signal<Route>(parseRoute(location.hash));

export function go(part: Partial<Route>): void {
  const next = { ...route.value, place: 'queue' as Place, ...part };
  const hash = formatRoute(next);
  if (hash !== location.hash) history.pushState(null, '', hash);
  route.value = next;
}

export function watchRoute(): void {
  addEventListener('popstate', () => (route.value = parseRoute(location.hash)));
  addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));
}
