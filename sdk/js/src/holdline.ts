// The client an application makes: one visitor, one site, one conversation.
import { Chat, type ChatUser } from './chat.js';
import { realClock } from './clock.js';
import { ChatConversation } from './conversation.js';
import { Emitter } from './emitter.js';
import { Enquiries } from './enquiries.js';
import { HoldlineError } from './error.js';
import { call } from './http.js';
import type { LineSettings } from './line.js';
import { Store } from './store.js';
import type {
  Availability, Conversation, Enquiry, Form, HoldlineClient, Identity, Options, StateDetail, StateName,
  TransportName, WidgetConfig,
} from './types.js';

const ANSWER_MS = 10000;
type Listener = [EventTarget, string, () => void];

function settingsOf(options: Options): LineSettings {
  const { url = globalThis.location && location.origin, fetch = globalThis.fetch, random = Math.random } = options;
  const urls = (typeof url === 'string' ? [url] : [...(url || [])]).map((one) => one.replace(/\/+$/, ''));
  if (!urls.length) throw new HoldlineError('bad_option', 'url is missing');
  urls.sort(() => random() - 0.5);
  return {
    _urls: urls,
    _fetch: (to, init) => fetch(to, init),
    _clock: options.clock || realClock,
    _WebSocket: options.WebSocket || (globalThis.WebSocket as any),
    _random: random,
    _pingGrace: options.pingGrace || 10000,
    _transports: options.transports || ['websocket', 'longpoll'],
    _backoffFirst: options.minReconnectDelay || 500,
    _backoffMost: options.maxReconnectDelay || 20000,
  };
}

export class Holdline extends Emitter implements HoldlineClient {
  conversation: Conversation | null = null;
  /** @internal */ private _settings: LineSettings;
  /** @internal */ private _store: Store;
  /** @internal */ private _chat: Chat;
  /** @internal */ private _enquiries: Enquiries;
  /** @internal */ private _identity: Identity | undefined;
  /** @internal */ private _given: string | undefined; // token from outside
  /** @internal */ private _isOpen = false; // a link is wanted
  /** @internal */ private _isGone = false;
  /** @internal */ private _shown = '';
  /** @internal */ private _previous: StateName = 'disconnected';
  /** @internal */ private _failure: HoldlineError | null = null;
  /** @internal */ private _waiting: ((error: HoldlineError | null) => void)[] = [];
  /** @internal */ private _listeners: Listener[] = [];
  /** @internal */ private _lastAvailability = '';

  constructor(private readonly _options: Options = {}) {
    super();
    const { site = 'default', ackTimeout = 5000, tabs = true, storage } = _options;
    const name = `holdline:${site}`;
    this._settings = settingsOf(_options);
    this._store = new Store(storage, `${name}:`, this._settings._clock, () => this._stateChanged());
    this._chat = new Chat(this._settings, name, this._store, tabs, ackTimeout, this as unknown as ChatUser);
    this._enquiries = new Enquiries(this._settings, this._settings._urls, this._store, (enquiry) => this._emit('enquiry', enquiry));
    this._listen();
  }

  get state(): StateName {
    const { _state, _transport } = this._chat;
    if (_state === 'live') return _transport === 'longpoll' ? 'degraded' : 'connected';
    return _state === 'idle' ? (this._isOpen && !this._failure ? 'connecting' : 'disconnected') : 'connecting';
  }

  get transport(): TransportName | null {
    return this._chat._transport;
  }

  get durable(): boolean {
    return this._store._isDurable;
  }

  get leader(): boolean {
    return this._chat._tabs._isLeading;
  }

  get hasSession(): boolean {
    return !!this._chat._record.token;
  }

  connect(): void {
    if (this._isGone) return;
    this._enquiries._resume();
    if (!this.hasSession && !this.conversation) return;
    this._open();
  }

  /** @internal */
  private async _open(): Promise<void> {
    this._isOpen = true;
    this._failure = null;
    this._stateChanged();
    try {
      const { identity, getToken } = this._options;
      this._identity = typeof identity === 'function' ? await identity() : identity;
      if (getToken && !this.hasSession) this._given = await getToken();
    } catch (error) {
      this._hopeless(new HoldlineError('unauthorized', String(error)));
      return;
    }
    if (this._isOpen) this._chat._connect();
  }

  close(): void {
    this._isOpen = false;
    this._chat._part();
    this._settleWaiting(new HoldlineError('closed', 'close() was called'));
  }

  ready(timeoutMs?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: HoldlineError | null): void => {
        if (timer) this._settings._clock.clearTimeout(timer);
        this._waiting = this._waiting.filter((other) => other !== settle);
        if (error) reject(error);
        else resolve();
      };
      const timer = timeoutMs && this._settings._clock.setTimeout(() => settle(new HoldlineError('timeout', 'No link yet', { retryable: true })), timeoutMs);
      this._waiting.push(settle);
      if (this._chat._state === 'live') settle(null);
      else if (this._failure) settle(this._failure);
    });
  }

  async start(form?: Form): Promise<Conversation> {
    if (this._isGone) throw new HoldlineError('closed', 'destroy() was called');
    if (!this.conversation) {
      this.conversation = new ChatConversation(this._chat, () => this._leave());
      await this._chat._sender._load();
    }
    const { _record: record } = this._chat;
    if (form && !record.form && !record.c) {
      record.form = true;
      this.conversation!.send({ ...form, context: { ...this._context(), ...form.context } }, { kind: 'form' });
    }
    this.connect();
    return this.conversation!;
  }

  async enquire(form: Form): Promise<Enquiry> {
    const { site, inbox } = this._options;
    return this._enquiries._leave({ ...(site && { site }), ...(inbox && { inbox }), ...form });
  }

  async availability(): Promise<Availability> {
    const answer = await this._get('/v1/availability');
    const shown = JSON.stringify(answer);
    if (shown !== this._lastAvailability) this._emit('availability', answer);
    this._lastAvailability = shown;
    return answer;
  }

  config(): Promise<WidgetConfig> {
    return this._get('/v1/widget');
  }

  async destroy({ forget = false }: { forget?: boolean } = {}): Promise<void> {
    this._isGone = true;
    this._enquiries._stop();
    for (const [target, type, run] of this._listeners) target.removeEventListener(type, run);
    if (forget) await this._leave();
    this._ended();
    await this._store._close();
  }

  // -- inside -----------------------------------------------------------------------------------

  /** @internal */
  private async _leave(): Promise<void> {
    this._isOpen = false;
    await this._chat._wipe();
    this._ended();
  }

  /** @internal */
  private _ended(): void {
    this.close();
    this.conversation = null;
  }

  /** @internal */
  private async _get(path: string): Promise<any> {
    const { site, inbox } = this._options;
    const query = new URLSearchParams({ ...(site && { site }), ...(inbox && { inbox }) });
    let failure: unknown;
    for (const url of this._settings._urls) {
      try {
        return await call(this._settings, `${url}${path}?${query}`, {}, ANSWER_MS);
      } catch (error) {
        failure = error;
        if (!(error as HoldlineError).retryable) break;
      }
    }
    throw failure;
  }

  /** @internal */
  private _context(): Record<string, unknown> {
    const { document, location, navigator } = globalThis;
    const page = document ? { page: location.href, referrer: document.referrer, title: document.title } : {};
    const locale = this._options.locale || (navigator && navigator.language);
    return { ...page, locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...this._options.context };
  }

  /** @internal */
  _helloMembers(): Record<string, unknown> {
    const { site, inbox } = this._options;
    return { site, inbox, identity: this._identity, context: this._context() };
  }

  /** @internal */
  _token(): string | undefined {
    return this._given;
  }

  /** @internal */
  _hopeless(error: HoldlineError): void {
    this._failure = error;
    this._emit('error', error);
    this._settleWaiting(error);
    this._stateChanged();
  }

  /** @internal */
  async _forgotten(): Promise<void> {
    this._chat._part();
    this._store._writeOwn(null);
    this._chat._record = { ...this._chat._record, token: undefined, c: undefined, o: 0, form: false };
    this._ended();
  }

  /** @internal */
  private _settleWaiting(error: HoldlineError | null): void {
    for (const settle of [...this._waiting]) settle(error);
  }

  /** @internal */
  _stateChanged(): void {
    if (!this._chat) return;
    const { state, transport, durable, leader } = this;
    const detail: StateDetail = { state, previous: this._previous, transport, durable, leader, retryIn: this._chat._retryIn };
    const shown = JSON.stringify([state, transport, durable, leader, detail.retryIn]);
    if (shown === this._shown) return;
    this._shown = shown;
    this._previous = state;
    if (state !== 'disconnected') this._failure = null;
    this._emit('state', detail);
    if (this._chat._state === 'live') this._settleWaiting(null);
  }

  /** @internal */
  private _listen(): void {
    const { document } = globalThis;
    if (!document || !globalThis.addEventListener) return;
    const listen = (target: EventTarget, type: string, run: () => void): void => {
      target.addEventListener(type, run);
      this._listeners.push([target, type, run]);
    };
    const wake = (): void => {
      if (document.visibilityState === 'hidden') return;
      this._enquiries._wake();
      if (!this._isOpen) return;
      this._chat._join(); // it may have slept
      this._chat._line._wake();
    };
    const sleep = (): void => {
      if (!this._isOpen) return;
      this._chat._lastWords();
      this._chat._part();
    };
    listen(globalThis, 'online', wake);
    listen(globalThis, 'pageshow', wake);
    listen(document, 'visibilitychange', wake);
    listen(document, 'resume', () => this._isOpen && this._chat._join());
    listen(document, 'freeze', sleep);
    listen(globalThis, 'pagehide', sleep);
  }
}
