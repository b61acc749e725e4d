// Asked once, when a conversation was closed.
import { el, icon, put } from './dom';
import type { Texts } from './i18n';

const SCORES = [1, 2, 3, 4, 5];

export function ratingCard(texts: Texts, rate: (score: number, comment: string) => void): HTMLElement {
  const comment = el('textarea', { id: 'comment', rows: 2 });
  const more = el('div', { class: 'field', hidden: true }, el('label', { for: 'comment' }, texts.t('rateComment')), comment,
    el('button', { type: 'submit', class: 'primary' }, texts.t('rateSend')));
  const onchange = (): void => {
    more.hidden = false;
    more.closest('form')?.scrollIntoView({ block: 'nearest' });
  };
  const stars = el('div', { class: 'stars' });
  for (const score of SCORES) {
    put(stars, el('input', { type: 'radio', name: 'score', id: `score${score}`, value: score, class: 'sr', onchange }),
      el('label', { for: `score${score}` }, icon('star'), el('span', { class: 'sr' }, texts.t('rateStar', { n: score }))));
  }
  const onsubmit = (event: Event): void => {
    event.preventDefault();
    const chosen = stars.querySelector<HTMLInputElement>('input:checked');
    if (chosen) rate(Number(chosen.value), comment.value.trim());
  };
  return el('form', { class: 'rating', onsubmit }, el('fieldset', {}, el('legend', {}, texts.t('rateTitle')), stars), more);
}
