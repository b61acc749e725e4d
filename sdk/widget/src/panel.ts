// The window of the chat: header, one line of notice, and the view. A dialog beside the page, which
// takes the whole screen, and then keeps the focus, where the screen is small.
import { el, iconButton, put, set, write } from './dom';
import type { Texts } from './i18n';

const SMALL = '(max-width: 480px), (max-height: 520px)';

export interface MenuItem {
  label: string;
  run(): void;
}

export interface PanelEvents {
  close(): void;
  menu(): MenuItem[];
}

export class Panel {
  readonly element: HTMLElement;
  #title: HTMLElement;
  #status = el('p', { class: 'status' });
  #notice = el('div', { class: 'note', hidden: true });
  #body = el('div', { class: 'body' });
  #menu = el('div', { class: 'menu', id: 'menu', hidden: true });
  #menuButton: HTMLButtonElement;
  #small = matchMedia(SMALL);
  #style: (css: string) => void;
  #viewport = window.visualViewport;
  #onViewport = (): void => this.#fit();

  constructor(texts: Texts, events: PanelEvents, style: (css: string) => void) {
    this.#style = style;
    this.#title = el('h2', { id: 'title' });
    this.#menuButton = iconButton('more', texts.t('menu'), () => this.#toggleMenu(events.menu()), { 'aria-expanded': 'false', 'aria-controls': 'menu' });
    const close = iconButton('close', texts.t('close'), () => events.close());
    const onkeydown = (event: KeyboardEvent): void => this.#onKey(event, events);
    this.element = el('section', { class: 'panel', part: 'panel', role: 'dialog', 'aria-labelledby': 'title', tabindex: '-1', hidden: true, onkeydown },
      el('div', { class: 'head', part: 'header' }, el('div', { class: 'heading' }, this.#title, this.#status), this.#menuButton, close, this.#menu), this.#notice, this.#body);
    this.#small.addEventListener('change', this.#onViewport);
    this.#viewport?.addEventListener('resize', this.#onViewport);
    this.#viewport?.addEventListener('scroll', this.#onViewport);
  }

  get isSmall(): boolean {
    return this.#small.matches;
  }

  title(text: string): void {
    write(this.#title, text);
  }

  status(text: string, isOnline: boolean): void {
    write(this.#status, text);
    set(this.#status, 'class', isOnline ? 'status online' : 'status');
  }

  /** One line below the header, perhaps with something to do about it. */
  note(text: string, action?: { label: string; run(): void } | null): void {
    const key = text + (action?.label ?? '');
    if (this.#notice.getAttribute('data-key') === key) return;
    set(this.#notice, 'data-key', key);
    this.#notice.hidden = !text;
    this.#notice.replaceChildren(el('span', {}, text));
    if (action) put(this.#notice, el('button', { type: 'button', class: 'plain', onclick: () => action.run() }, action.label));
  }

  show(view: HTMLElement): void {
    if (this.#body.firstChild !== view) this.#body.replaceChildren(view);
  }

  hasMenu(has: boolean): void {
    this.#menuButton.hidden = !has;
  }

  open(isOpen: boolean): void {
    this.element.hidden = !isOpen;
    this.#closeMenu();
    this.#fit();
  }

  destroy(): void {
    this.#small.removeEventListener('change', this.#onViewport);
    this.#viewport?.removeEventListener('resize', this.#onViewport);
    this.#viewport?.removeEventListener('scroll', this.#onViewport);
  }

  // The keyboard of a phone covers the page without telling it; only the visual viewport knows.
  #fit(): void {
    set(this.element, 'aria-modal', this.isSmall ? 'true' : null);
    const view = this.#viewport;
    if (!view || !this.isSmall || view.scale > 1.01) this.#style('');
    else this.#style(`.panel{--_height:${view.height}px;--_top:${view.offsetTop}px}`);
  }

  #toggleMenu(items: MenuItem[]): void {
    if (!this.#menu.hidden) {
      this.#closeMenu();
      return;
    }
    this.#menu.replaceChildren(...items.map(({ label, run }) => el('button', {
      type: 'button',
      onclick: () => {
        this.#closeMenu();
        this.#menuButton.focus();
        run();
      },
    }, label)));
    this.#menu.hidden = false;
    set(this.#menuButton, 'aria-expanded', 'true');
    this.#menu.querySelector('button')?.focus();
  }

  #closeMenu(): void {
    this.#menu.hidden = true;
    set(this.#menuButton, 'aria-expanded', 'false');
  }

  #onKey(event: KeyboardEvent, events: PanelEvents): void {
    if (event.key === 'Tab' && this.isSmall) this.#keepFocus(event);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') this.#moveInMenu(event);
    if (event.key !== 'Escape' || event.isComposing) return;
    event.stopPropagation();
    if (this.#menu.hidden) {
      events.close();
    } else {
      this.#closeMenu();
      this.#menuButton.focus();
    }
  }

  #moveInMenu(event: KeyboardEvent): void {
    const items = [...this.#menu.querySelectorAll('button')];
    const at = items.indexOf(event.target as HTMLButtonElement);
    if (at < 0) return;
    event.preventDefault();
    items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus();
  }

  // As long as nothing else of the page can be seen, nothing else gets the focus.
  #keepFocus(event: KeyboardEvent): void {
    const all = [...this.element.querySelectorAll<HTMLElement>('a[href], button, input, textarea, [tabindex="0"]')]
      .filter((element) => element.getClientRects().length > 0);
    const edge = event.shiftKey ? all[0] : all[all.length - 1];
    const root = this.element.getRootNode() as ShadowRoot;
    if (root.activeElement !== edge && !(event.shiftKey && root.activeElement === this.element)) return;
    event.preventDefault();
    (event.shiftKey ? all[all.length - 1] : all[0])?.focus();
  }
}
