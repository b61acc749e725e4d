// What the loader leaves at window.holdline, and the widget takes over.
import type { Strings } from './locales/en';

// ["open"], ["identify", {…}], ["set", "theme", "dark"], ["on", "message", fn], …
export type Command = [name: string, ...values: unknown[]];

export interface Shell {
  push(...commands: Command[]): number;
  /** Commands that came before the widget; null once it has taken them. */
  queue: Command[] | null;
  /** The element in the page that carries the shadow root. */
  host: HTMLElement;
  root: ShadowRoot;
  button: HTMLButtonElement;
  /** The data-* of the script tag. */
  data: DOMStringMap;
  /** Where the scripts came from, with a slash at the end. */
  base: string;
  /** Adds a style sheet to the shadow root: constructed, so that no CSP can be in its way. */
  style(css: string): (css: string) => void;
  /** Texts by language, as the files locales/*.js bring them. */
  locales?: Record<string, Partial<Strings>>;
  /** Loads a script from where the loader came from, with its nonce. */
  load(name: string): Promise<void>;
}

declare global {
  interface Window {
    holdline?: Shell;
  }
}
