// After an enquiry: stored, with its reference; or honestly not yet.
import { el, icon } from './dom';
import type { Texts } from './i18n';
import type { LeftEnquiry } from './session';

const drawn = new WeakMap<LeftEnquiry, { key: string; view: HTMLElement }>();

export function doneView(texts: Texts, enquiry: LeftEnquiry, isDurable: boolean, another: () => void): HTMLElement {
  const { answer, form } = enquiry;
  const key = `${texts.locale} ${answer?.reference} ${isDurable}`;
  const known = drawn.get(enquiry);
  if (known?.key === key) return known.view;
  const to = form.contact?.email ?? form.contact?.phone;
  const view = el('div', { class: answer ? 'done' : 'done queued' }, icon(answer ? 'check' : 'clock'),
    el('h3', {}, texts.t(answer ? 'doneTitle' : 'queuedTitle')),
    el('p', {}, answer?.expected_by ? texts.t('doneBy', { time: texts.moment(new Date(answer.expected_by)) })
      : texts.t(answer ? 'doneText' : isDurable ? 'queuedText' : 'queuedOpen')),
    to && el('p', {}, texts.t('doneEmail', { to })),
    answer && referenceLine(texts, answer.reference),
    answer && el('button', { type: 'button', class: 'plain', onclick: another }, texts.t('another')));
  drawn.set(enquiry, { key, view });
  return view;
}

/** The reference, to be read out, written down or copied. */
export function referenceLine(texts: Texts, reference: string): HTMLElement {
  const button = el('button', {
    type: 'button',
    class: 'plain',
    onclick: () => {
      void navigator.clipboard?.writeText(reference).then(() => (button.textContent = texts.t('copied')), () => undefined);
    },
  }, texts.t('copy'));
  return el('p', { class: 'reference' }, `${texts.t('reference')}: `, el('bdi', {}, reference), ' ', button);
}
