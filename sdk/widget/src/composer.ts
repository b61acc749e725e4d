// Where the visitor writes: Enter sends, Shift+Enter makes a line; on touch screens Enter makes a line.
import { el, iconButton, set, write } from './dom';
import type { Texts } from './i18n';
import { byteLength } from './text';
import { TEXT_BYTES_MAX } from './form';

const LINES_MAX = 6;

export interface ComposerEvents {
  /** False: it was not taken, the text stays. */
  send(text: string): boolean;
  type(text: string): void;
}

export class Composer {
  readonly element: HTMLFormElement;
  readonly input: HTMLTextAreaElement;
  #texts: Texts;
  #events: ComposerEvents;
  #error = el('p', { class: 'error', id: 'text-error', role: 'alert' });

  constructor(texts: Texts, events: ComposerEvents) {
    this.#texts = texts;
    this.#events = events;
    const isTouch = matchMedia('(pointer: coarse)').matches;
    this.input = el('textarea', {
      id: 'text', rows: 1, autocomplete: 'off', enterkeyhint: isTouch ? 'enter' : 'send',
      'aria-label': texts.t('message'), placeholder: texts.t('placeholder'), oninput: () => this.#onInput(),
      onkeydown: (event: KeyboardEvent) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing || isTouch) return;
        event.preventDefault();
        this.#send();
      },
    });
    const send = iconButton('send', texts.t('send'), () => this.#send(), { class: 'icon-button submit', part: 'send', type: 'submit' });
    const onsubmit = (event: Event): void => event.preventDefault();
    this.element = el('form', { class: 'composer', onsubmit }, this.#error, el('div', { class: 'write' }, this.input, send));
  }

  get text(): string {
    return this.input.value;
  }

  set text(value: string) {
    this.input.value = value;
    this.#fit();
  }

  hint(text: string): void {
    set(this.input, 'placeholder', text);
  }

  #onInput(): void {
    this.#fit();
    this.#complain('');
    this.#events.type(this.text);
  }

  #fit(): void {
    set(this.input, 'rows', Math.min(LINES_MAX, this.text.split('\n').length));
  }

  #complain(text: string): void {
    write(this.#error, text);
    set(this.input, 'aria-invalid', text ? 'true' : null);
    set(this.input, 'aria-describedby', text ? this.#error.id : null);
  }

  #send(): void {
    const text = this.text.trim();
    this.input.focus();
    if (!text) return;
    if (byteLength(text) > TEXT_BYTES_MAX) {
      this.#complain(this.#texts.t('tooLong'));
      return;
    }
    if (this.#events.send(text)) this.text = '';
  }
}
