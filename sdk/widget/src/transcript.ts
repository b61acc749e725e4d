// The visitor's own copy, as text.
import type { Message } from '@holdline/client';
import type { Texts } from './i18n';

const MAIL_CHARS_MAX = 1500;

export function transcriptText(messages: readonly Message[], texts: Texts, title: string, reference: string | null): string {
  const lines = [title];
  if (reference) lines.push(`${texts.t('reference')}: ${reference}`);
  lines.push('');
  for (const message of messages) {
    const text = message.text || formText(message);
    if (!text) continue;
    const name = message.own ? texts.t('you') : message.from.name || texts.t('agent');
    lines.push(`${new Date(message.at).toLocaleString(texts.locale)}  ${name}:`, text, '');
  }
  return lines.join('\n');
}

/** What a form says besides the contact. */
export function formText(message: Pick<Message, 'kind' | 'body'>): string {
  const said = message.body.message as { text?: unknown } | undefined;
  return message.kind === 'form' && typeof said?.text === 'string' ? said.text : '';
}

export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Mail programs take no long texts from a link: the end of a long one. */
export function mail(to: string, subject: string, text: string): void {
  const body = text.length > MAIL_CHARS_MAX ? `…\n${text.slice(-MAIL_CHARS_MAX)}` : text;
  const link = document.createElement('a');
  link.href = `mailto:${encodeURIComponent(to)}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`;
  link.click();
}
