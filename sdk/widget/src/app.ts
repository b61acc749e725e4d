// Puts it together: which view is shown, what the header says, what the public commands do.
import type { Conversation, Form, Identity, Message } from '@holdline/client';
import { accentCss } from './accent';
import { Announcer } from './announcer';
import { Attention } from './attention';
import { Composer } from './composer';
import { doneView, referenceLine } from './done';
import { el, set } from './dom';
import { FormView, type Face } from './form';
import { Texts } from './i18n';
import { LogView } from './log';
import { Panel, type MenuItem } from './panel';
import { ratingCard } from './rating';
import { Session } from './session';
import type { Command, Shell } from './shell';
import { Store } from './store';
import { download, mail, transcriptText } from './transcript';

const TYPING_MS = 6000;
const PATIENCE_MS = 500; // then the window opens without the operator's settings
const isTouch = (): boolean => matchMedia('(pointer: coarse)').matches;

export type Person = Partial<Identity> & { name?: string; email?: string; phone?: string };

export class App {
  #shell: Shell;
  #site: string;
  #store: Store;
  #session: Session;
  #texts = new Texts();
  #announcer = new Announcer();
  #attention: Attention;
  #style: (css: string) => void;
  #accent: (css: string) => void;
  #panel!: Panel;
  #log!: LogView;
  #composer!: Composer;
  #form!: FormView;
  #chat!: HTMLElement;
  #rating: HTMLElement | null = null;
  #handlers = new Map<string, Set<(detail: unknown) => void>>();
  #person: Person = {};
  #extra: Record<string, unknown> = {};
  #locale: string | undefined;
  #loading!: HTMLElement;
  #hasLoaded = false; // the settings came, or it was clear that they would not
  #isOpen = false;
  #isBuilt = false;
  #isTurned = false; // the chat shows the form in its place
  #hasLeft = false; // …which was sent, or waved away, since it last made sense
  #hasRated = false;
  #isHistoryIn = false;
  #isLoadingHistory = false;
  #lastLink = 'ok';
  #headKey = '';
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #undo: (() => void)[] = [];

  constructor(shell: Shell) {
    const { data } = shell;
    this.#shell = shell;
    this.#site = data.site ?? 'default';
    this.#locale = data.locale;
    this.#store = new Store(this.#site);
    this.#style = shell.style('');
    this.#accent = shell.style('');
    this.#attention = new Attention(shell.button);
    this.#session = this.#makeSession();
    this.#theme(data.theme);
    shell.root.append(this.#announcer.log, this.#announcer.status);
    const onVisible = (): void => this.#onVisible();
    document.addEventListener('visibilitychange', onVisible);
    this.#undo.push(() => document.removeEventListener('visibilitychange', onVisible));
    this.#undo.push(this.#store.watch('widget', () => this.#onOtherTab()));
  }

  /** Goes on where an earlier page, or another tab, has begun. */
  async resume(): Promise<void> {
    const left = this.#session.leftEarlier;
    if (!this.#session.hasEarlier && !left) return;
    await this.#build();
    if (this.#session.hasEarlier) await this.#begin();
    else if (left) this.#enquire(left);
    if (this.#store.get('session', 'open')) this.open(false);
  }

  run([name, ...values]: Command): void {
    const [first, second] = values as [string, unknown];
    if (name === 'open') this.open();
    else if (name === 'close') this.close();
    else if (name === 'toggle') this.#toggle();
    else if (name === 'identify') this.#identify(values[0] as Person);
    else if (name === 'set' && first === 'context') Object.assign(this.#extra, second);
    else if (name === 'set' && first === 'theme') this.#theme(String(second));
    else if (name === 'set' && first === 'locale') this.#setLocale(String(second));
    else if (name === 'on') this.#listen(first, second as () => void);
    else if (name === 'destroy') void this.#destroy(Boolean((values[0] as { forget?: boolean } | undefined)?.forget));
    else console.warn(`holdline: there is no command ${name}`);
  }

  // A second click on a window that is not there yet does not close it.
  #toggle(): void {
    if (!this.#isOpen) this.open();
    else if (!this.#shell.button.hasAttribute('aria-busy')) this.close();
  }

  /** A window that opens by itself leaves the focus where it is. */
  open(takesFocus = navigator.userActivation?.isActive ?? true): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    void this.#show(takesFocus);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#store.set('session', 'open', null);
    this.#session.watch(false);
    const hadFocus = this.#panel?.element.matches(':focus-within');
    this.#panel?.open(false);
    this.#mark();
    if (hadFocus) this.#shell.button.focus();
    this.#emit('close', null);
  }

  async #show(takesFocus: boolean): Promise<void> {
    set(this.#shell.button, 'aria-busy', 'true');
    if (!this.#isBuilt) {
      await Promise.race([this.#session.load(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
      await this.#build();
    }
    set(this.#shell.button, 'aria-busy', null);
    if (!this.#isOpen) return;
    this.#panel.open(true);
    this.#session.watch(true);
    if (this.#session.conversation) this.#store.set('session', 'open', '1');
    this.#render();
    this.#log.scrollToEnd();
    this.#mark();
    if (takesFocus) this.#focus();
    this.#emit('open', null);
  }

  #focus(): void {
    if (isTouch()) this.#panel.element.focus();
    else if (this.#chat.isConnected) this.#composer.input.focus();
    else if (this.#form.element.isConnected) this.#form.focus();
    else this.#panel.element.focus();
  }

  #makeSession(): Session {
    const { data, base } = this.#shell;
    const url = (data.url ?? new URL(base).origin).split(/\s+/);
    const { id, hash } = this.#person;
    const identity = id && hash ? { id, hash } : null;
    const context = pageContext(this.#texts.locale);
    return new Session({ url, site: this.#site, context, ...(data.inbox && { inbox: data.inbox }) }, identity, this.#store, {
      change: () => this.#render(),
      config: () => void (this.#isBuilt && this.#rebuild()),
      message: (message) => this.#onMessage(message),
      position: ({ from, delivered, read }) => {
        if (from.role !== 'visitor') this.#log?.position(delivered, read);
        this.#render();
      },
      typing: ({ from, on }) => this.#onTyping(from.role !== 'visitor' && on ? this.#log.nameOf(from.id, from.name) : null),
      reset: () => {
        this.#log.clear();
        this.#render();
      },
    });
  }

  // Everything there is to see, in the language that is wanted now.
  async #build(): Promise<void> {
    const { config } = this.#session;
    const page = document.documentElement.lang;
    await this.#texts.choose(this.#shell, [this.#locale, page, config.locale, ...navigator.languages].filter((tag): tag is string => Boolean(tag)));
    const texts = this.#texts;
    this.#isBuilt = true;
    this.#panel = new Panel(texts, { close: () => this.close(), menu: () => this.#menu() }, this.#style);
    const old = this.#log;
    this.#log = new LogView(texts);
    for (const message of old?.messages ?? []) this.#log.add(message);
    this.#log.element.addEventListener('more', () => this.#render());
    this.#log.element.addEventListener('end', () => this.#mark());
    this.#composer = new Composer(texts, { send: (text) => this.#send(text), type: (text) => this.#onType(text) });
    this.#form = new FormView(texts, config, { submit: (form, face) => this.#submit(form, face), back: () => this.#turnBack() });
    this.#form.fill(this.#person);
    this.#loading = el('p', { class: 'loading' }, texts.t('loading'));
    this.#chat = el('div', { class: 'chat' }, this.#log.element, this.#composer.element);
    set(this.#panel.element, 'dir', texts.isRightToLeft ? 'rtl' : 'ltr');
    set(this.#panel.element, 'lang', texts.locale);
    this.#panel.title(config.title || texts.t('title'));
    this.#accent(accentCss(config.accent, this.#shell.host));
    for (const panel of this.#shell.root.querySelectorAll('.panel')) panel.remove();
    this.#shell.button.before(this.#panel.element);
    this.#headKey = '';
  }

  // The settings came late, or the language is another: drawn anew, with all that was typed.
  async #rebuild(): Promise<void> {
    const { text } = this.#composer;
    const { values } = this.#form;
    const old = this.#panel;
    const hadFocus = old.element.matches(':focus-within');
    await this.#build();
    old.destroy();
    this.#composer.text ||= text;
    this.#form.fill(values);
    this.#panel.open(this.#isOpen);
    this.#render();
    if (hadFocus) this.#focus();
  }

  #setLocale(locale: string): void {
    this.#locale = locale;
    if (this.#isBuilt) void this.#rebuild();
  }

  #theme(theme: string | undefined): void {
    set(this.#shell.host, 'data-theme', theme === 'light' || theme === 'dark' ? theme : null);
  }

  // ---- what happens

  async #begin(form?: Form): Promise<void> {
    this.#session.context = { ...pageContext(this.#texts.locale), ...this.#extra };
    const conversation = await this.#session.begin(form);
    this.#composer.text ||= this.#store.get('session', 'draft') ?? '';
    this.#render();
    await this.#loadHistory(conversation);
  }

  // What was said before this page; asked for again when there is a link.
  async #loadHistory(conversation: Conversation): Promise<void> {
    if (this.#isHistoryIn || this.#isLoadingHistory) return;
    this.#isLoadingHistory = true;
    try {
      for await (const message of conversation.messages()) this.#take(message, false);
      this.#isHistoryIn = true;
      this.#render();
      this.#log.scrollToEnd();
      this.#mark();
    } catch {
      // there is no link now
    } finally {
      this.#isLoadingHistory = false;
    }
  }

  #submit(form: Form, face: Face): void {
    const { conversation } = this.#session;
    if (conversation) {
      this.#session.context = { ...pageContext(this.#texts.locale), ...this.#extra };
      this.#session.leave(form);
      this.#composer.text = '';
      this.#form.message.value = '';
      this.#turnBack();
    } else if (face === 'chat') {
      void this.#begin(form);
      this.#store.set('session', 'open', '1');
      this.#emit('start', null);
    } else {
      this.#enquire(form);
      this.#panel.element.focus();
    }
    if (conversation || face === 'chat') this.#focus();
  }

  #enquire(form: Form): void {
    this.#session.context = { ...pageContext(this.#texts.locale), ...this.#extra };
    const context = { ...this.#session.context };
    this.#session.enquire(form.context ? form : { ...form, context }).then(
      () => {
        this.#announcer.state(this.#texts.t('doneTitle'));
        this.#emit('enquiry', this.#session.enquiry?.answer);
      },
      (error: Error) => {
        this.#session.enquiry = null;
        this.#form.fill(form.contact ?? {});
        this.#form.message.value ||= form.message?.text ?? '';
        this.#render();
        this.#form.refuse(error.message);
      },
    );
    this.#form.message.value = '';
  }

  #send(text: string): boolean {
    const { conversation, face } = this.#session;
    if (!conversation) {
      void this.#begin({ message: { text } });
      return true;
    }
    if (this.#shouldTurn(face)) {
      this.#turn();
      return false;
    }
    const sent = conversation.send(text);
    conversation.typing(false);
    this.#store.set('session', 'draft', null);
    sent.acked.then((message) => this.#emit('sent', message), () => undefined);
    this.#render();
    return true;
  }

  #onType(text: string): void {
    const { conversation } = this.#session;
    if (!conversation) return;
    conversation.typing(text !== '');
    this.#store.set('session', 'draft', text || null);
  }

  #take(message: Message, isNews: boolean): void {
    if (!this.#log.add(message)) return;
    if (message.kind === 'rated' && message.own) this.#hasRated = true;
    if (message.kind === 'closed') this.#hasRated = false;
    if (message.own) return;
    if (message.from.role === 'agent') this.#hasLeft = false;
    if (message.kind !== 'message') return;
    this.#onTyping(null);
    if (!isNews) return;
    const name = this.#log.nameOf(message.from.id, message.from.name);
    this.#announcer.message(this.#texts.t('says', { name, text: message.text }));
    this.#emit('message', message);
  }

  #onMessage(message: Message): void {
    if (!this.#isBuilt) return;
    this.#take(message, true);
    this.#render();
    this.#mark();
  }

  #onTyping(name: string | null): void {
    clearTimeout(this.#typingTimer);
    this.#log?.typing(name);
    if (name !== null) this.#typingTimer = setTimeout(() => this.#onTyping(null), TYPING_MS);
  }

  #onVisible(): void {
    this.#mark();
    this.#session.watch(this.#isOpen && !document.hidden);
  }

  // The visitor began, or ended, a chat in another tab.
  #onOtherTab(): void {
    if (!this.#session.conversation && this.#session.hasEarlier && this.#isBuilt) void this.#begin();
  }

  /** Counts what was not seen, or notes that all was. */
  #mark(): void {
    const { conversation } = this.#session;
    const isSeen = this.#isOpen && this.#isBuilt && !document.hidden && this.#chat.isConnected && this.#log.isAtEnd;
    if (isSeen && this.#isHistoryIn) conversation?.read();
    const unread = isSeen ? 0 : (conversation?.unread ?? 0);
    const label = unread ? this.#texts.t('openUnread', { n: unread }) : (this.#shell.data.label ?? this.#texts.t('open'));
    if (this.#attention.show(unread, this.#isOpen ? this.#texts.t('close') : label, this.#isOpen)) this.#emit('unread', unread);
  }

  #identify(person: Person): void {
    this.#person = { ...this.#person, ...person };
    if (this.#isBuilt) this.#form.fill(this.#person);
    if (!person.id || this.#session.conversation) return;
    void this.#session.destroy(false);
    this.#session = this.#makeSession();
    if (this.#isOpen) void this.#session.load();
  }

  #listen(event: string, handler: (detail: unknown) => void): void {
    const all = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, all.add(handler));
  }

  #emit(event: string, detail: unknown): void {
    for (const handler of this.#handlers.get(event) ?? []) {
      try {
        handler(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }

  async #destroy(forget: boolean): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#attention.show(0, null, false);
    this.#panel?.destroy();
    this.#shell.host.remove();
    delete window.holdline;
    await this.#session.destroy(forget);
  }

  async #forget(): Promise<void> {
    await this.#session.destroy(true);
    this.#store.set('session', 'open', null);
    this.#session = this.#makeSession();
    this.#log.clear();
    this.#hasLeft = this.#isTurned = this.#hasRated = this.#isHistoryIn = false;
    this.#form.message.value = this.#composer.text = '';
    await this.#session.load();
  }

  // ---- what is shown

  #shouldTurn(face: Face): boolean {
    if (face === 'chat' || this.#hasLeft) return false;
    return this.#session.conversation?.status !== 'closed';
  }

  #isWaiting(): boolean {
    const last = this.#log.messages[this.#log.messages.length - 1];
    return this.#composer.text.trim() !== '' || Boolean(this.#session.conversation?.pending.length) || Boolean(last?.own && last.kind === 'message');
  }

  // The chat turns into the form; what was typed moves along.
  #turn(): void {
    const hadFocus = this.#composer.input.matches(':focus');
    const first = this.#log.messages.find(({ kind, own }) => kind === 'form' && own);
    this.#isTurned = true;
    this.#form.fill((first?.body.contact ?? {}) as Person);
    this.#form.message.value = this.#composer.text;
    this.#render();
    if (hadFocus) this.#form.message.focus();
    this.#announcer.state(this.#texts.t(this.#session.face === 'gone' ? 'goneText' : 'awayText'));
  }

  #turnBack(): void {
    this.#isTurned = false;
    this.#hasLeft = this.#session.face !== 'chat';
    this.#composer.text = this.#form.message.value;
    this.#onType(this.#composer.text);
    this.#render();
    if (this.#isOpen && !isTouch()) this.#composer.input.focus();
  }

  #render(): void {
    if (!this.#isBuilt) return;
    const session = this.#session;
    const { conversation, face } = session;
    if (face === 'chat') this.#hasLeft = false;
    if (conversation && this.#isOpen && !this.#isTurned && this.#chat.isConnected && this.#shouldTurn(face) && this.#isWaiting()) {
      this.#turn();
      return;
    }
    this.#renderHeader();
    this.#renderNote();
    this.#panel.hasMenu(Boolean(conversation));
    if (this.#isTurned && face === 'chat' && !this.#form.element.matches(':focus-within')) this.#isTurned = false;
    this.#form.turn(face, this.#isTurned);
    this.#panel.show(this.#view(face));
    this.#renderHead();
    if (!conversation) return;
    if (session.isLinked) void this.#loadHistory(conversation);
    this.#log.render(conversation, session.isLinked);
    this.#composer.hint(this.#texts.t(conversation.status === 'closed' ? 'closedHint' : 'placeholder'));
    this.#renderRating();
  }

  #view(face: Face): HTMLElement {
    const { conversation, enquiry, config } = this.#session;
    if (this.#session.isLoading && !conversation && !this.#hasLoaded) return this.#loading;
    this.#hasLoaded = true;
    if (enquiry && !conversation) {
      return doneView(this.#texts, enquiry, this.#session.isDurable, () => {
        this.#session.enquiry = null;
        this.#render();
        this.#form.focus();
      });
    }
    const asks = config.consent || Object.values(config.form ?? {}).some((rule) => rule !== 'off');
    const needsForm = !conversation && (asks || face !== 'chat');
    return this.#isTurned || needsForm ? this.#form.element : this.#chat;
  }

  #renderHeader(): void {
    const { conversation, availability, face, link, isReachable } = this.#session;
    const t = this.#texts.t.bind(this.#texts);
    if (link !== 'ok' || !isReachable) {
      this.#panel.status(t('noLink'), false);
    } else if (conversation?.assignee && conversation.status === 'open') {
      this.#panel.status(t('with', { name: this.#log.nameOf(conversation.assignee) }), face === 'chat');
    } else if (face === 'away') {
      const opens = availability?.opens_at;
      this.#panel.status(opens ? t('opens', { time: this.#texts.moment(new Date(opens)) }) : t('away'), false);
    } else if (availability) {
      const { agents_online: n, queue, expected_wait_s: wait } = availability;
      const more = wait ? t('wait', { time: this.#texts.duration(wait) }) : queue ? t('queue', { n: queue }) : '';
      this.#panel.status([t('online', { n }), more].filter(Boolean).join(' · '), true);
    } else {
      this.#panel.status('', false);
    }
  }

  #renderNote(): void {
    const { conversation, link, face, isDurable, end } = this.#session;
    const t = this.#texts.t.bind(this.#texts);
    if (this.#lastLink !== link) {
      if (link === 'ok') this.#announcer.state(t('backAgain'));
      else this.#announcer.state(t(link === 'lost' ? 'reconnecting' : isDurable ? 'gone' : 'goneOpen'));
      this.#lastLink = link;
    }
    if (end) this.#panel.note(t('ended', { why: end.message }), { label: t('again'), run: () => void this.#forget() });
    else if (this.#isTurned || !conversation) this.#panel.note('');
    else if (link !== 'ok') this.#panel.note(t(link === 'lost' ? 'reconnecting' : isDurable ? 'gone' : 'goneOpen'));
    else if (face === 'away') this.#panel.note(t('awayNote'), this.#hasLeft ? null : { label: t('leaveNote'), run: () => this.#turn() });
    else if (!isDurable) this.#panel.note(t('fragile'));
    else this.#panel.note('');
  }

  #renderHead(): void {
    const reference = this.#session.conversation?.reference ?? '';
    if (this.#headKey === `r${reference}`) return;
    this.#headKey = `r${reference}`;
    const greeting = el('p', { class: 'reference' }, this.#session.config.greeting || this.#texts.t('greeting'));
    this.#log.head(reference ? referenceLine(this.#texts, reference) : greeting);
  }

  #renderRating(): void {
    const { conversation } = this.#session;
    const wasAnswered = this.#log.messages.some(({ from, kind }) => from.role === 'agent' && kind === 'message');
    const isAsked = conversation?.status === 'closed' && wasAnswered && !this.#hasRated;
    if (!isAsked) this.#rating = null;
    else this.#rating ??= ratingCard(this.#texts, (score, comment) => this.#rate(score, comment));
    this.#log.place(this.#rating);
  }

  #rate(score: number, comment: string): void {
    this.#session.conversation?.rate(score, comment || undefined);
    this.#hasRated = true;
    this.#announcer.state(this.#texts.t('rated', { n: score }));
    this.#emit('rated', { score, comment });
    this.#render();
    this.#focus();
  }

  #menu(): MenuItem[] {
    const t = this.#texts.t.bind(this.#texts);
    const title = this.#session.config.title || t('title');
    const reference = this.#session.conversation?.reference ?? null;
    const text = (): string => transcriptText(this.#log.messages, this.#texts, title, reference);
    const email = this.#log.messages.map(({ body }) => (body.contact as Person | undefined)?.email).find(Boolean) ?? '';
    return [
      { label: t('save'), run: () => download(`${reference ?? 'chat'}.txt`, text()) },
      { label: t('mail'), run: () => mail(email, `${title} ${reference ?? ''}`.trim(), text()) },
      { label: t('forget'), run: () => this.#panel.note(t('forgetSure'), { label: t('forget'), run: () => void this.#forget() }) },
    ];
  }
}

function pageContext(locale: string): Record<string, unknown> {
  const { origin, pathname } = location; // no query: it may hold what nobody should read
  return {
    page: origin + pathname, title: document.title.slice(0, 200), referrer: document.referrer.split('?')[0], locale,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

