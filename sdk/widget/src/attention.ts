// The unread count on the launcher, and in the title of a page that is not looked at.
import { el, set, write } from './dom';

const COUNT_MAX = 99;

export class Attention {
  #button: HTMLButtonElement;
  #badge = el('span', { class: 'badge', part: 'badge', 'aria-hidden': 'true', hidden: true });
  #label: string;
  #count = 0;
  #title: string | null = null;

  constructor(button: HTMLButtonElement) {
    this.#button = button;
    this.#label = button.getAttribute('aria-label') ?? '';
    button.append(this.#badge);
  }

  /** True: the count is another one. */
  show(count: number, label: string | null, isOpen: boolean): boolean {
    set(this.#button, 'aria-label', label ?? this.#label);
    set(this.#button, 'aria-expanded', String(isOpen));
    const isNews = count !== this.#count;
    this.#count = count;
    this.#badge.hidden = count === 0;
    write(this.#badge, count > COUNT_MAX ? `${COUNT_MAX}+` : String(count));
    this.#hint();
    return isNews;
  }

  // The page may have changed its title meanwhile: only our own hint is taken away.
  #hint(): void {
    const hint = this.#title;
    const base = document.title === hint ? hint.replace(/^\(\d+\+?\) /, '') : document.title;
    this.#title = this.#count > 0 ? `(${this.#badge.textContent}) ${base}` : null;
    const title = this.#title ?? base;
    if (document.title !== title) document.title = title;
  }
}
