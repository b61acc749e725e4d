// What an application sees. These types are the contract of @holdline/client.
import type { HoldlineError } from './error.js';

export type TransportName = 'websocket' | 'longpoll';

// disconnected: no link is wanted or possible. connecting: a link is being made, or waited for.
// connected: level over WebSocket. degraded: level over long-poll; all works, a little slower.
export type StateName = 'disconnected' | 'connecting' | 'connected' | 'degraded';

// The part of Web Storage that is used.
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

// What a WebSocket must be able to do: the browser's, Node's, or that of the package ws.
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}
export type WebSocketMaker = new (url: string, protocols?: string | string[]) => WebSocketLike;
export type FetchLike = (url: string, init?: any) => Promise<FetchAnswer>;
export interface FetchAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<any>;
}

// now: milliseconds that never go back. wall: milliseconds since 1970, which may jump.
export interface Clock {
  now(): number;
  wall(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: any): void;
}

export interface Options {
  // The gateway, or several of them: any will do, and the first that answers is used.
  // Default: where the page came from.
  url?: string | readonly string[];
  site?: string; // default: 'default'
  inbox?: string;
  // Who the visitor is, as your server vouches for it.
  identity?: Identity;
  transports?: readonly TransportName[]; // default: both, WebSocket first
  // Where the session is kept. 'local' (default) also keeps the outbox in IndexedDB.
  storage?: 'local' | 'session' | 'memory' | KeyValueStorage;
  locale?: string;
  context?: Record<string, unknown>; // told to agents: page, referrer, …
  tabs?: boolean; // default true: tabs of one origin share one link
  minReconnectDelay?: number; // 500 ms
  maxReconnectDelay?: number; // 20000 ms
  pingGrace?: number; // 10000 ms beyond the gateway's ping interval
  ackTimeout?: number; // 5000 ms until an unconfirmed message is sent again
  // For Node, Deno and tests.
  WebSocket?: WebSocketMaker;
  fetch?: FetchLike;
  clock?: Clock;
  random?: () => number;
}

export interface Identity {
  id: string;
  hash: string; // hex HMAC-SHA256(site's identity secret, id)
}

export type Role = 'visitor' | 'agent' | 'system' | (string & {});

export interface Author {
  readonly role: Role;
  readonly id: string;
  readonly name?: string;
}

export type Kind =
  | 'message' | 'form' | 'claimed' | 'released' | 'transferred' | 'closed' | 'reopened' | 'rated' | (string & {});

// One entry of the conversation, as it stands in the transcript.
export interface Message {
  readonly conversation: string;
  readonly epoch: string;
  readonly offset: number;
  readonly clientId: string;
  readonly from: Author;
  readonly own: boolean; // this visitor's, from whatever tab
  readonly at: string; // RFC 3339, the gateway's clock
  readonly kind: Kind;
  readonly text: string; // of the body; '' when it has none
  readonly body: Readonly<Record<string, unknown>>;
  readonly subject?: string; // the agent of 'claimed', …
}

// queued: kept here, not sent yet. sent: on its way. acked: in the transcript. failed: not taken.
export type PendingState = 'queued' | 'sent' | 'acked' | 'failed';

export interface PendingMessage {
  readonly clientId: string;
  readonly kind: Kind;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly at: number; // when it was said, milliseconds since 1970
  readonly state: PendingState;
  readonly durable: boolean; // kept over a reload
  readonly error: HoldlineError | null; // why it failed
  // Settles when it is in the transcript, or failed. A new promise after retry().
  readonly acked: Promise<Message>;
  retry(): void; // of a failed one
  cancel(): boolean; // false: too late, it may have been sent
}

export interface SendOptions {
  clientId?: string; // default: a random UUID. The same twice is one message
  kind?: 'message' | 'form' | 'rated';
}

export interface Range {
  after?: number; // offsets above it; default 0
  before?: number; // offsets below it
  limit?: number; // the last so many; of `after` the first so many
}

export interface Conversation {
  readonly id: string; // '' until the gateway has named it
  readonly reference: string | null;
  readonly position: number; // up to here everything was delivered
  readonly unread: number; // messages of others beyond the last read()
  readonly status: 'open' | 'closed';
  readonly assignee: string | null;
  readonly pending: readonly PendingMessage[]; // all that is not in the transcript, in order
  send(text: string | Record<string, unknown>, options?: SendOptions): PendingMessage;
  messages(range?: Range): AsyncIterable<Message>;
  typing(on: boolean): void; // call it at each keystroke
  read(offset?: number): void; // a person has read up to there; default: all
  rate(score: number, comment?: string): PendingMessage;
  close(): Promise<void>; // when all is confirmed: forgets the session; start() begins a new one
}

export interface StateDetail {
  readonly state: StateName;
  readonly previous: StateName;
  readonly transport: TransportName | null;
  readonly durable: boolean; // messages said now survive a reload
  readonly leader: boolean; // this tab holds the link
}

export interface AckDetail {
  readonly clientId: string;
  readonly message: Message;
}

// hole: entries are missing and are being fetched; nothing later is delivered before them.
// The others cannot be had: trimmed by retention, not for you, or the log began anew.
export interface GapDetail {
  readonly from: number;
  readonly to: number;
  readonly reason: 'hole' | 'trimmed' | 'denied' | 'reset' | (string & {});
}

export interface PositionDetail {
  readonly from: Author;
  readonly delivered: number;
  readonly read: number;
}

export interface ActivityDetail {
  readonly from: Author;
  readonly on: boolean;
}

export interface AssignedDetail {
  readonly agent: string | null;
  readonly message: Message;
}

export interface ClosedDetail {
  readonly closed: boolean; // false: reopened
  readonly message: Message;
}

export interface Availability {
  readonly open: boolean;
  readonly agents_online: number;
  readonly queue: number;
  readonly expected_wait_s: number | null;
  readonly opens_at: string | null;
}

export interface WidgetConfig {
  readonly site: string;
  readonly inbox: string;
  readonly title: string | null;
  readonly greeting: string | null;
  readonly accent: string | null;
  readonly form: Readonly<Record<'name' | 'email' | 'phone', 'off' | 'optional' | 'required'>> | null;
  readonly consent: { readonly text: string; readonly policy_url: string | null; readonly required: boolean } | null;
  readonly locale: string | null;
  readonly availability: Availability;
}

// The pre-chat form and the enquiry have one shape.
export interface Form {
  contact?: { name?: string; email?: string; phone?: string };
  message?: { text: string };
  fields?: Record<string, unknown>;
  consent?: Record<string, unknown>;
  country?: string;
  context?: Record<string, unknown>;
  [more: string]: unknown;
}

export interface Enquiry {
  readonly id: string; // of its conversation
  readonly reference: string;
  readonly expected_by?: string;
  readonly status_url: string;
  readonly duplicate: boolean; // it was there already
}

export interface EventMap {
  state: StateDetail;
  message: Message;
  pending: PendingMessage; // one of ours changed its state
  ack: AckDetail;
  gap: GapDetail;
  position: PositionDetail;
  typing: ActivityDetail;
  presence: ActivityDetail;
  assigned: AssignedDetail;
  closed: ClosedDetail;
  availability: Availability;
  enquiry: Enquiry; // one was stored, perhaps of an earlier page
  error: HoldlineError;
}
export type EventName = keyof EventMap;
// What addEventListener() is given.
export interface HoldlineEvent<K extends EventName = EventName> extends Event {
  readonly detail: EventMap[K];
}
export type Handler<K extends EventName> = (detail: EventMap[K]) => void;

// What `new Holdline(options)` gives. EventTarget works too: the detail is in event.detail.
export interface HoldlineClient extends EventTarget {
  readonly state: StateName;
  readonly transport: TransportName | null;
  readonly durable: boolean;
  readonly leader: boolean;
  readonly hasSession: boolean; // an earlier conversation can be resumed; reading this writes nothing
  readonly conversation: Conversation | null; // after start()
  on<K extends EventName>(type: K, handler: Handler<K>): this;
  off<K extends EventName>(type: K, handler: Handler<K>): this;
  once<K extends EventName>(type: K, handler: Handler<K>): this;
  // Keeps a link for a visitor who has a session; one who has none gets it by start().
  connect(): void;
  // Gives the link up; nothing is forgotten. connect() comes back.
  close(): void;
  // Until messages travel. Rejects after timeoutMs (default: never), or when it is hopeless.
  ready(timeoutMs?: number): Promise<void>;
  // Begins a conversation, or resumes it: then the form was told before and is not sent again.
  // Resolves at once, also without a network: what is said then is kept and sent later.
  start(form?: Form): Promise<Conversation>;
  // Leaves an enquiry without a chat. Kept before the first try; resolves when it is stored there.
  // Called again with the same form, or after a reload, it is the same enquiry.
  enquire(form: Form): Promise<Enquiry>;
  availability(): Promise<Availability>;
  config(): Promise<WidgetConfig>;
  // Ends this object. forget: wipes all that is kept here, as on a shared machine.
  destroy(options?: { forget?: boolean }): Promise<void>;
}
