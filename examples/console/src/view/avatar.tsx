// Initials in one of eight colours that stay with the person.
import { Icon } from './icon';

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : ''];
  return ([...first][0] ?? '').toLocaleUpperCase() + ([...last][0] ?? '').toLocaleUpperCase();
}

function colourOf(seed: string): number {
  let hash = 7;
  for (const char of seed) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return hash % 8;
}

export function Avatar({ name, seed, size = 'm' }: { name: string; seed: string; size?: 's' | 'm' | 'l' }) {
  return (
    <span class={`avatar ${size}`} data-colour={colourOf(seed)} aria-hidden="true">
      {initialsOf(name) || <Icon name="user" />}
    </span>
  );
}
