// Texts in the visitor's language; other languages than English come as files of their own.
import { en, type Plural, type Strings } from './locales/en';
import type { Shell } from './shell';

export const LOCALES = ['ar', 'de', 'es', 'fr'];
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur'];

export type Key = keyof Strings;
export type Values = Record<string, string | number>;

export class Texts {
  #strings: Strings = en;
  #plurals = new Intl.PluralRules('en');
  /** A BCP 47 tag: of the texts, the dates and the numbers. */
  locale = 'en';

  get isRightToLeft(): boolean {
    return RIGHT_TO_LEFT.includes(this.locale.slice(0, 2));
  }

  /** The first of these languages that there is; English if none is, or its file cannot be had. */
  async choose(shell: Shell, wanted: readonly string[]): Promise<void> {
    const known = (tag: string): boolean => {
      const [lang = ''] = tag.toLowerCase().split(/[-_]/);
      return lang === 'en' || LOCALES.includes(lang) || Boolean(shell.locales?.[lang]);
    };
    const tag = (wanted.find(known) ?? 'en').replace('_', '-');
    const [lang = ''] = tag.toLowerCase().split('-');
    try {
      if (lang !== 'en' && !shell.locales?.[lang]) await shell.load(`locales/${lang}.js`);
      this.#plurals = new Intl.PluralRules(tag);
      this.#strings = { ...en, ...shell.locales?.[lang] };
      this.locale = tag;
    } catch {
      // the file cannot be had: what is there stays
    }
  }

  /** A text with its blanks filled in; `n` also chooses the plural form. */
  t(key: Key, values: Values = {}): string {
    const found: string | Plural = this.#strings[key];
    const text = typeof found === 'string' ? found : (found[this.#plurals.select(Number(values.n))] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (blank, name: string) => {
      const value = values[name];
      return value === undefined ? blank : typeof value === 'number' ? value.toLocaleString(this.locale) : value;
    });
  }

  time(at: Date): string {
    return at.toLocaleTimeString(this.locale, { hour: 'numeric', minute: '2-digit' });
  }

  day(at: Date): string {
    const days = Math.round((new Date().setHours(12, 0, 0, 0) - new Date(at).setHours(12, 0, 0, 0)) / 86_400_000);
    if (days === 0) return this.t('today');
    if (days === 1) return this.t('yesterday');
    return at.toLocaleDateString(this.locale, { weekday: 'long', day: 'numeric', month: 'long' });
  }

  moment(at: Date): string {
    return at.toLocaleString(this.locale, { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
  }

  /** Whole minutes, at least one. */
  duration(seconds: number): string {
    const minutes = Math.max(1, Math.ceil(seconds / 60));
    return new Intl.NumberFormat(this.locale, { style: 'unit', unit: 'minute', unitDisplay: 'short' }).format(minutes);
  }
}
