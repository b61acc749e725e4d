// How a file of texts hands them in. A text that is missing is shown in English.
import type { Strings } from './en';

export function add(language: string, strings: Partial<Strings>): void {
  const shell = window.holdline;
  if (shell) shell.locales = { ...shell.locales, [language]: strings };
}
