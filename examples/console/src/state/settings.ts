// What this person wants of this browser. Kept in localStorage; without it, for this visit.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

export interface Settings {
  theme: Theme;
  nodes: string[];
  isNotifying: boolean;
  isSounding: boolean;
  isContextShown: boolean;
}

const NAME = 'holdline.console.settings';
const DEFAULTS: Settings = { theme: 'auto', nodes: [], isNotifying: false, isSounding: false, isContextShown: true };

function load(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(NAME) ?? '{}') as Partial<Settings>) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = signal<Settings>(load());

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
  try {
    localStorage.setItem(NAME, JSON.stringify(settings.value));
  } catch {
    // holds until the page is closed
  }
}

// The theme stands on the root element; styles do the rest.
export function applyTheme(): void {
  effect(() => {
    const { theme } = settings.value;
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  });
}
