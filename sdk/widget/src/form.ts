// The form before a chat, and the enquiry when nobody can chat: one form, two faces, so that what was
// typed stays when it turns from one into the other.
import type { Form, WidgetConfig } from '@holdline/client';
import { el, put, set, write } from './dom';
import type { Key, Texts } from './i18n';
import { byteLength } from './text';

export type Face = 'chat' | 'away' | 'gone';
export const TEXT_BYTES_MAX = 15_000;
const EMAIL = /^[^\s@]+@[^\s@]+$/;
const PHONE = /^[0-9+()./ x#*-]{3,40}$/;
const MAX_LENGTHS: Record<string, number> = { name: 60, email: 254, phone: 40 };

interface Field {
  name: 'name' | 'email' | 'phone' | 'message' | 'consent';
  input: HTMLInputElement | HTMLTextAreaElement;
  row: HTMLElement;
  hint: HTMLElement;
  error: HTMLElement;
  isRequired: boolean;
}

export interface FormEvents {
  submit(form: Form, face: Face): void;
  back(): void;
}

export class FormView {
  readonly element: HTMLFormElement;
  readonly message: HTMLTextAreaElement;
  #texts: Texts;
  #config: WidgetConfig;
  #fields: Field[] = [];
  #face: Face = 'chat';
  #intro = el('p', { class: 'intro', id: 'intro' });
  #submit = el('button', { type: 'submit', class: 'primary' });
  #back: HTMLButtonElement;
  #problem = el('p', { class: 'error', role: 'alert' });

  constructor(texts: Texts, config: WidgetConfig, events: FormEvents) {
    this.#texts = texts;
    this.#config = config;
    this.#back = el('button', { type: 'button', class: 'plain', onclick: () => events.back() }, texts.t('back'));
    this.message = el('textarea', { rows: 4, autocomplete: 'off' });
    const onsubmit = (event: Event): void => {
      event.preventDefault();
      if (this.#check()) events.submit(this.#value(), this.#face);
    };
    this.element = el('form', { class: 'form', novalidate: true, 'aria-describedby': 'intro', onsubmit }, this.#intro);
    this.#addLine('name', 'text', 'name');
    this.#addLine('email', 'email', 'email');
    this.#addLine('phone', 'tel', 'tel');
    this.#add('message', this.message);
    this.#addConsent();
    put(this.element, this.#problem, el('div', { class: 'actions' }, this.#submit, this.#back));
    this.turn('chat', false);
  }

  /** Shows the form as one or the other. */
  turn(face: Face, canGoBack: boolean): void {
    const { t } = bound(this.#texts);
    this.#face = face;
    const { form, greeting } = this.#config;
    write(this.#intro, face === 'chat' ? greeting || t('greeting') : t(face === 'away' ? 'awayText' : 'goneText'));
    write(this.#submit, t(face === 'chat' ? 'start' : 'leave'));
    this.#back.hidden = !canGoBack;
    for (const field of this.#fields) {
      const rule = field.name === 'message' ? 'required'
        : field.name === 'consent' ? (this.#config.consent?.required ? 'required' : 'optional')
        : (form?.[field.name] ?? 'off');
      // Whoever is not here to be answered needs an address.
      const address = form?.email === 'off' && form.phone !== 'off' ? 'phone' : 'email';
      const isNeeded = face !== 'chat' && field.name === address;
      field.isRequired = rule === 'required' || isNeeded;
      field.row.hidden = rule === 'off' && !isNeeded;
      write(field.hint, field.isRequired || field.name === 'consent' ? '' : t('optional'));
      set(field.input, 'aria-required', field.isRequired ? 'true' : null);
    }
  }

  /** What is there already stays. */
  fill(values: Partial<Record<Field['name'], string | undefined>>): void {
    for (const { name, input } of this.#fields) {
      const value = values[name];
      if (name === 'consent') (input as HTMLInputElement).checked ||= Boolean(value);
      else if (value && !input.value) input.value = value;
    }
  }

  get values(): Partial<Record<Field['name'], string>> {
    return Object.fromEntries(this.#fields.map(({ name, input }) =>
      [name, name === 'consent' && !(input as HTMLInputElement).checked ? '' : input.value]));
  }

  /** The first thing a person has to do here. */
  focus(): void {
    const visible = this.#fields.filter(({ row }) => !row.hidden);
    (visible.find(({ input }) => !input.value) ?? visible[0])?.input.focus();
  }

  /** The gateway refused it; what was typed stays. */
  refuse(why: string): void {
    write(this.#problem, this.#texts.t('refused', { why }));
  }

  #addLine(name: 'name' | 'email' | 'phone', type: string, autocomplete: string): void {
    this.#add(name, el('input', { type, autocomplete, dir: name === 'name' ? null : 'ltr', maxlength: MAX_LENGTHS[name] }));
  }

  #add(name: Field['name'], input: Field['input']): void {
    const hint = el('span', { class: 'hint' });
    const error = el('p', { class: 'error', id: `${name}-error` });
    input.id = name;
    input.name = name;
    const label = el('label', { for: name }, `${this.#texts.t(name as Key)} `, hint);
    const row = el('div', { class: 'field' }, label, input, error);
    put(this.element, row);
    this.#fields.push({ name, input, row, hint, error, isRequired: false });
  }

  #addConsent(): void {
    const { consent } = this.#config;
    if (!consent) return;
    const { t } = bound(this.#texts);
    const hint = el('span');
    const error = el('p', { class: 'error', id: 'consent-error' });
    const input = el('input', { type: 'checkbox', id: 'consent', name: 'consent' });
    const label = el('label', { for: 'consent' }, consent.text, hint);
    const href = policyOf(consent.policy_url);
    const link = href && el('a', { href, target: '_blank', rel: 'noopener', title: t('newTab') }, t('policy'));
    const row = el('div', { class: 'field consent' }, input, label, link, error);
    put(this.element, row);
    this.#fields.push({ name: 'consent', input, row, hint, error, isRequired: false });
  }

  #check(): boolean {
    const wrong = this.#fields.filter((field) => {
      const key = this.#mistake(field);
      write(field.error, key ? this.#texts.t(key) : '');
      set(field.input, 'aria-invalid', key ? 'true' : null);
      set(field.input, 'aria-describedby', key ? field.error.id : null);
      return key !== null;
    });
    write(this.#problem, '');
    wrong[0]?.input.focus();
    return wrong.length === 0;
  }

  #mistake({ name, input, isRequired, row }: Field): Key | null {
    const value = input.value.trim();
    if (row.hidden) return null;
    if (name === 'consent') return isRequired && !(input as HTMLInputElement).checked ? 'needConsent' : null;
    if (!value) return isRequired ? MISTAKES[name] : null;
    if (name === 'email' && !EMAIL.test(value)) return 'needEmail';
    if (name === 'phone' && !PHONE.test(value)) return 'needPhone';
    return name === 'message' && byteLength(value) > TEXT_BYTES_MAX ? 'tooLong' : null;
  }

  #value(): Form {
    const form: Form = { contact: {} };
    for (const { name, input, row } of this.#fields) {
      const value = input.value.trim();
      if (row.hidden) continue;
      if (name === 'consent') form.consent = { privacy: (input as HTMLInputElement).checked };
      else if (name === 'message') form.message = { text: value };
      else if (value) form.contact![name] = value;
    }
    return form;
  }
}

const MISTAKES: Record<Exclude<Field['name'], 'consent'>, Key> = {
  name: 'needName', email: 'needEmail', phone: 'needPhone', message: 'needMessage',
};

const bound = (texts: Texts): { t: Texts['t'] } => ({ t: texts.t.bind(texts) });

function policyOf(url: string | null): string | null {
  try {
    const { protocol, href } = new URL(url ?? '', location.href);
    return url && (protocol === 'https:' || protocol === 'http:') ? href : null;
  } catch {
    return null;
  }
}
