// The transcript as it is seen: bubbles, days, notices. Not a live region: what is announced, and
// when, is decided by the announcer.
import type { Conversation, Message, PendingMessage } from '@holdline/client';
import { el, icon, put, set, write, type IconName } from './dom';
import type { Key, Texts } from './i18n';
import { linked, plain } from './text';
import { formText } from './transcript';

const GROUP_MS = 5 * 60_000;
const PAGE = 100;
const NOTICES: Record<string, Key> = {
  claimed: 'claimed', released: 'released', transferred: 'transferred', closed: 'closed', reopened: 'reopened',
};

type SentState = 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed';
const STATE_ICONS: Record<SentState, IconName> = {
  queued: 'clock', sending: 'clock', sent: 'check', delivered: 'checks', read: 'checks', failed: 'alert',
};

interface Item {
  key: string;
  at: number;
  own: boolean;
  name: string;
  text: string;
  notice: string; // in place of a bubble
  state: SentState | null;
  pending: PendingMessage | null;
}

export class LogView {
  readonly element: HTMLElement;
  #texts: Texts;
  #list = el('ol', { class: 'list' });
  #earlier: HTMLButtonElement;
  #newer: HTMLButtonElement;
  #typing = el('div', { class: 'typing', hidden: true }, el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')), el('span', { class: 'typing-text' }));
  #top = el('div');
  #after = el('div');
  #scroller: HTMLElement;
  #nodes = new Map<string, HTMLElement>();
  #messages: Message[] = [];
  #names = new Map<string, string>();
  #shown = PAGE;
  #delivered = 0;
  #read = 0;
  #isAtEnd = true;

  constructor(texts: Texts) {
    this.#texts = texts;
    this.#earlier = el('button', { type: 'button', class: 'plain earlier', onclick: () => this.#showEarlier() }, texts.t('earlier'));
    this.#newer = el('button', { type: 'button', class: 'newer', hidden: true, onclick: () => this.scrollToEnd() }, texts.t('newer'), icon('down'));
    this.#scroller = el('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': texts.t('log'), onscroll: () => this.#onScroll() },
      this.#top, this.#earlier, this.#list, this.#typing, this.#after);
    this.element = el('div', { class: 'log' }, this.#scroller, this.#newer);
    new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd()).observe(this.#scroller);
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Whether a person who looks at the panel sees the newest. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** False: it was there already. */
  add(message: Message): boolean {
    const last = this.#messages[this.#messages.length - 1];
    if (last && last.epoch === message.epoch && message.offset <= last.offset) {
      if (this.#messages.some(({ offset }) => offset === message.offset)) return false;
      this.#messages.push(message);
      this.#messages.sort((a, b) => a.offset - b.offset);
    } else {
      this.#messages.push(message);
    }
    if (message.from.name) this.#names.set(message.from.id, message.from.name);
    return true;
  }

  clear(): void {
    this.#messages = [];
  }

  /** The log began anew under another epoch: what is not in it any more goes. */
  position(delivered: number, read: number): void {
    this.#delivered = Math.max(this.#delivered, delivered);
    this.#read = Math.max(this.#read, read);
  }

  nameOf(id: string | undefined, name?: string): string {
    return plain(name ?? (id && this.#names.get(id)) ?? this.#texts.t('agent')).slice(0, 80);
  }

  /** What comes below the last message: the rating. */
  place(card: HTMLElement | null): void {
    if (this.#after.firstChild !== card) this.#after.replaceChildren(...(card ? [card] : []));
    if (card && this.#isAtEnd) this.scrollToEnd();
  }

  /** What stands above the first message: the reference, or a greeting. */
  head(view: HTMLElement): void {
    this.#top.replaceChildren(view);
  }

  typing(name: string | null): void {
    this.#typing.hidden = name === null;
    if (name !== null) write(this.#typing.lastElementChild!, this.#texts.t('typing', { name }));
    if (this.#isAtEnd) this.scrollToEnd();
  }

  scrollToEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#isAtEnd = true;
    this.#newer.hidden = true;
  }

  /** Brings the page up to what the conversation is now. */
  render(conversation: Conversation | null, isLinked: boolean): void {
    const all = this.#items(conversation, isLinked);
    const items = all.slice(-this.#shown);
    this.#earlier.hidden = items.length === all.length;
    const lastOwn = items.filter(({ own, notice }) => own && !notice).pop();
    const nodes: HTMLElement[] = [];
    items.forEach((item, index) => {
      const before = items[index - 1];
      const after = items[index + 1];
      if (!before || !isSameDay(before.at, item.at)) nodes.push(this.#day(item.at));
      nodes.push(this.#node(item, !joins(before, item), !joins(item, after), item === lastOwn));
    });
    const kept = new Set<Element>(nodes);
    const wasNew = nodes.length > 0 && nodes[nodes.length - 1] !== this.#list.lastElementChild;
    for (const child of [...this.#list.children]) if (!kept.has(child)) child.remove();
    nodes.forEach((node, index) => {
      const there = this.#list.children[index] ?? null;
      if (there !== node) this.#list.insertBefore(node, there);
    });
    for (const [key, node] of this.#nodes) if (!kept.has(node)) this.#nodes.delete(key);
    if (this.#isAtEnd || (wasNew && items[items.length - 1]?.own)) this.scrollToEnd();
    else if (wasNew) this.#newer.hidden = false;
  }

  #items(conversation: Conversation | null, isLinked: boolean): Item[] {
    const items = this.#messages.map((message) => this.#itemOf(message));
    const known = new Set(this.#messages.filter(({ own }) => own).map(({ clientId }) => clientId));
    for (const pending of conversation?.pending ?? []) {
      if (known.has(pending.clientId) || pending.kind === 'rated') continue;
      const text = pending.text || formText(pending) || this.#texts.t('formSent');
      const state = pending.state === 'failed' ? 'failed' : isLinked ? 'sending' : 'queued';
      items.push({ key: pending.clientId, at: pending.at, own: true, name: '', text, notice: '', state, pending });
    }
    return items.filter(({ text, notice }) => text || notice);
  }

  #itemOf(message: Message): Item {
    const { kind, own, from, offset, subject, body } = message;
    const said = message.text || formText(message);
    const text = body.erased || (message as { erased?: boolean }).erased ? this.#texts.t('erased') : said;
    const key = own ? message.clientId : `o${offset}`;
    const isTalk = kind === 'message' || (kind === 'form' && said !== '');
    const state = !own ? null : offset <= this.#read ? 'read' : offset <= this.#delivered ? 'delivered' : 'sent';
    return {
      key, own, state: isTalk ? state : null, pending: null, at: Date.parse(message.at), text: isTalk ? text : '',
      name: own ? '' : this.nameOf(from.id, from.name), notice: isTalk ? '' : this.#notice(kind, subject, from.id, body),
    };
  }

  #notice(kind: string, subject: string | undefined, author: string, body: Message['body']): string {
    if (kind === 'form') return this.#texts.t('formSent');
    if (kind === 'rated') return this.#texts.t('rated', { n: Number(body.score) });
    const key = NOTICES[kind];
    return key ? this.#texts.t(key, { name: this.nameOf(subject ?? author, body.name as string | undefined) }) : '';
  }

  #day(at: number): HTMLElement {
    const key = `day${new Date(at).toDateString()}`;
    const node = this.#nodes.get(key) ?? el('li', { class: 'day' }, el('span'));
    write(node.firstElementChild!, this.#texts.day(new Date(at)));
    this.#nodes.set(key, node);
    return node;
  }

  #node(item: Item, isFirst: boolean, isLast: boolean, isLastOwn: boolean): HTMLElement {
    const kept = this.#nodes.get(item.key);
    const node = kept ?? (item.notice ? el('li', { class: 'notice' }, el('span')) : this.#bubble(item));
    this.#nodes.set(item.key, node);
    if (item.notice) {
      write(node.firstElementChild!, item.notice);
      return node;
    }
    const failed = item.state === 'failed';
    set(node, 'class', ['message', item.own ? 'own' : 'other', isFirst && 'first', isLast && 'last', item.state].filter(Boolean).join(' '));
    write(node.querySelector('.author')!, item.own ? this.#texts.t('you') : item.name);
    const meta = node.querySelector('.meta')!;
    const state = item.state && `${item.state}${isLastOwn}`;
    if (meta.getAttribute('data-state') !== `${state}`) {
      set(meta, 'data-state', `${state}`);
      meta.replaceChildren(el('time', { datetime: new Date(item.at).toISOString() }, this.#texts.time(new Date(item.at))));
      if (item.state) put(meta, icon(STATE_ICONS[item.state]), el('span', { class: isLastOwn || failed ? 'state' : 'state sr' }, this.#texts.t(item.state)));
      if (failed && item.pending) put(meta, ...this.#remedies(item.pending));
    }
    return node;
  }

  #bubble(item: Item): HTMLElement {
    return el('li', {}, el('span', { class: 'author' }), el('div', { class: 'bubble', part: item.own ? 'bubble own' : 'bubble other', dir: 'auto' }, ...linked(item.text)),
      el('div', { class: 'meta' }));
  }

  #remedies(pending: PendingMessage): HTMLElement[] {
    const why = pending.error?.message;
    return [
      ...(why ? [el('span', { class: 'why' }, plain(why))] : []),
      el('button', { type: 'button', class: 'plain', onclick: () => pending.retry() }, this.#texts.t('retry')),
      el('button', { type: 'button', class: 'plain', onclick: () => pending.cancel() }, this.#texts.t('discard')),
    ];
  }

  #showEarlier(): void {
    const before = this.#scroller.scrollHeight;
    this.#shown += PAGE;
    this.#isAtEnd = false;
    this.element.dispatchEvent(new Event('more'));
    this.#scroller.scrollTop += this.#scroller.scrollHeight - before;
  }

  #onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const wasAtEnd = this.#isAtEnd;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < 48;
    if (this.#isAtEnd) this.#newer.hidden = true;
    if (this.#isAtEnd && !wasAtEnd) this.element.dispatchEvent(new Event('end'));
  }
}

const isSameDay = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString();

// Bubbles of one person in a row stand close together.
function joins(first: Item | undefined, second: Item | undefined): boolean {
  return Boolean(first && second && !first.notice && !second.notice && first.own === second.own && first.name === second.name
    && second.at - first.at < GROUP_MS && isSameDay(first.at, second.at) && first.state !== 'failed');
}
