// The client an application makes: one visitor, one site, one conversation.
import { Chat } from './chat.js';
import { Emitter } from './emitter.js';
import { Enquiries } from './enquiries.js';
import { HoldlineError } from './error.js';
import { call } from './http.js';
import { LineState } from './line.js';
import { type Settings, settingsOf } from './settings.js';
import { Store } from './store.js';
import type {
  Availability, Conversation, Enquiry, Form, HoldlineClient, Options, StateDetail, StateName,
  TransportName, WidgetConfig,
} from './types.js';

const ANSWER_MS = 10000;
type Listener = [EventTarget, string, () => void];

export class Holdline extends Emitter implements HoldlineClient {
  conversation: Conversation | null = null;
  /** @internal */ private _settings: Settings;
  /** @internal */ private _store: Store;
  /** @internal */ private _chat: Chat;
  /** @internal */ private _enquiries: Enquiries;
  /** @internal */ private _isOpen?: boolean; // a link is wanted
  /** @internal */ private _shown = '';
  /** @internal */ private _previous: StateName = 'disconnected';
  /** @internal */ private _failure?: HoldlineError;
  /** @internal */ private _waiting: ((error?: HoldlineError) => void)[] = [];
  /** @internal */ private _listeners: Listener[] = [];

  constructor(private readonly _options: Options = {}) {
    super();
    const { site = 'default', tabs = true, storage } = _options;
    const name = `holdline:${site}`;
    this._settings = settingsOf(_options);
    this._store = new Store(storage, `${name}:`, this._settings._clock, () => this._stateChanged());
    this._chat = new Chat(this._settings, name, this._store, tabs, this);
    this._enquiries = new Enquiries(this._settings, this._store, (enquiry) => this._emit('enquiry', enquiry));
    this._listen();
  }

  get state(): StateName {
    const { _state, _transport } = this._chat;
    if (_state === LineState.Live) return _transport === 'longpoll' ? 'degraded' : 'connected';
    return _state === LineState.Idle ? (this._isOpen && !this._failure ? 'connecting' : 'disconnected') : 'connecting';
  }

  get transport(): TransportName | null {
    return this._chat._transport;
  }

  get durable(): boolean {
    return this._store._isDurable;
  }

  get leader(): boolean {
    return !!this._chat._tabs._isLeading;
  }

  get hasSession(): boolean {
    return !!this._chat._record.token;
  }

  connect(): void {
    this._enquiries._resume();
    if (!this.hasSession && !this.conversation) return;
    this._isOpen = true;
    this._failure = undefined;
    this._stateChanged();
    this._chat._connect();
  }

  close(): void {
    this._isOpen = false;
    this._chat._part();
    this._settleWaiting(new HoldlineError('closed'));
  }

  ready(timeoutMs?: number): Promise<void> {
    const { _clock: clock } = this._settings;
    return new Promise<void>((resolve, reject) => {
      const timer = timeoutMs && clock.setTimeout(() => reject(new HoldlineError('timeout', { retryable: true })), timeoutMs);
      this._waiting.push((error) => {
        clock.clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
      this._settleWaiting(this._failure);
    });
  }

  async start(form?: Form): Promise<Conversation> {
    if (!this.conversation) {
      this.conversation = this._chat;
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
    return this._enquiries._leave(JSON.stringify({ site, inbox, ...form }));
  }

  async availability(): Promise<Availability> {
    const answer = await this._get('/v1/availability');
    this._emit('availability', answer);
    return answer;
  }

  config(): Promise<WidgetConfig> {
    return this._get('/v1/widget');
  }

  async destroy({ forget = false }: { forget?: boolean } = {}): Promise<void> {
    this._enquiries._stop();
    for (const [target, type, run] of this._listeners) target.removeEventListener(type, run);
    if (forget) await this._leave();
    this._ended();
  }

  // -- inside -----------------------------------------------------------------------------------

  /** @internal */
  async _leave(): Promise<void> {
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
    const query = new URLSearchParams(JSON.parse(JSON.stringify({ site, inbox })));
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
    return { ...page, locale, ...this._options.context };
  }

  /** @internal */
  _helloMembers(): Record<string, unknown> {
    const { site, inbox, identity } = this._options;
    return { site, inbox, identity, context: this._context() };
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
  private _settleWaiting(error?: HoldlineError): void {
    if (error || this._chat._state === LineState.Live) for (const settle of this._waiting.splice(0)) settle(error);
  }

  /** @internal */
  _stateChanged(): void {
    if (!this._chat) return;
    const { state, transport, durable, leader } = this;
    const detail: StateDetail = { state, previous: this._previous, transport, durable, leader };
    const shown = JSON.stringify([state, transport, durable, leader]);
    if (shown === this._shown) return;
    this._shown = shown;
    this._previous = state;
    if (state !== 'disconnected') this._failure = undefined;
    this._emit('state', detail);
    this._settleWaiting();
  }

  /** @internal */
  private _listen(): void {
    const { document } = globalThis;
    if (!document) return;
    const wake = (): void => {
      if (!this._isOpen || document.visibilityState === 'hidden') return;
      this._chat._join(); // it may have slept
      this._chat._line._wake();
    };
    const sleep = (): void => {
      if (!this._isOpen) return;
      this._chat._lastWords();
      this._chat._part();
    };
    this._listeners = [
      [globalThis, 'online', wake],
      [globalThis, 'pageshow', wake],
      [document, 'visibilitychange', wake],
      [document, 'resume', wake],
      [document, 'freeze', sleep],
      [globalThis, 'pagehide', sleep],
    ];
    for (const [target, type, run] of this._listeners) target.addEventListener(type, run);
  }
}
