// What the agent API gives, as told by agent-api/openapi.yaml; only what the console uses.

export type Role = 'visitor' | 'agent' | 'integration' | 'system';
export type AgentRole = 'admin' | 'supervisor' | 'agent' | 'integration' | 'auditor';
export type Status = 'open' | 'closed';
export type Sla = 'ok' | 'due_soon' | 'breached' | 'met' | 'none';
export type Availability = 'online' | 'away';

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
  has_more: boolean;
}

export interface Agent {
  id: string;
  name: string;
  role: AgentRole;
  created_at?: string;
  email?: string | null;
  site?: string | null;
  inboxes?: string[];
  active?: boolean;
  availability?: Availability;
  online?: boolean;
  etag?: string;
}

export interface Contact {
  id: string;
  name: string | null;
  email: string | null;
  phone: string | null;
  verified?: boolean;
  identity?: string | null;
  first_seen_at?: string;
  last_seen_at?: string;
  conversations?: number;
}

export interface Timers {
  first_response_at: string | null;
  first_response_due_at: string | null;
  response_due_at: string | null;
  closed_at: string | null;
  sla: Sla;
}

export interface LastMessage {
  offset: number;
  from_role: Role;
  ts: string;
  excerpt: string;
}

export type Fields = Record<string, string | number | boolean | null>;

export interface Conversation {
  id: string;
  site: string;
  inbox: string | null;
  reference: string;
  status: Status;
  assignee: string | null;
  assignee_name: string | null;
  etag: string;
  head: number;
  floor: number;
  opened_at: string;
  updated_at: string;
  claimed_at: string | null;
  waiting_since: string | null;
  contact: Contact | null;
  identity: string | null;
  tags: string[];
  custom_fields: Fields;
  context: Fields;
  unread: number;
  last_message: LastMessage | null;
  timers: Timers;
  erased?: boolean;
}

export type EntryKind =
  | 'message' | 'note' | 'form' | 'claimed' | 'released' | 'transferred' | 'moved'
  | 'closed' | 'reopened' | 'updated' | 'rated' | 'erased';

export interface Entry {
  conversation: string;
  offset: number;
  client_id: string;
  from: { role: Role; id: string };
  ts: string;
  kind: EntryKind;
  visibility: 'public' | 'internal';
  subject?: string;
  body: Record<string, unknown>;
  erased?: boolean;
}

export interface FeedEvent extends Entry {
  cursor: string;
  type: string;
  site: string;
  inbox: string | null;
}

// Not stored: who types, looks, has a connection (present), or works (online, without a conversation).
export interface Presence {
  what: 'typing' | 'viewing' | 'present' | 'online';
  on: boolean;
  from: { role: Role; id: string };
  conversation: string | null;
  expires_in_ms?: number;
}

export interface MessagePage {
  data: Entry[];
  has_more: boolean;
  head: number;
  floor: number;
  epoch: string;
  next_after?: number;
  next_before?: number;
}

export interface Stored {
  conversation: string;
  offset: number;
  client_id: string;
  ts: string;
  visibility: 'public' | 'internal';
}

export interface Position {
  role: Role;
  id: string;
  delivered: number;
  read: number;
}

export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export type Asked = 'off' | 'optional' | 'required';

export interface OpenRange {
  day: Day;
  open: string;
  close: string;
}

export interface BusinessHours {
  time_zone: string;
  week: OpenRange[];
  holidays: string[];
}

export interface Goals {
  first_response_minutes: number | null;
  response_minutes: number | null;
}

export interface Consent {
  text: string;
  policy_url: string | null;
  required: boolean;
}

export interface WidgetSettings {
  title: string | null;
  greeting: string | null;
  accent: string | null;
  form: { name: Asked; email: Asked; phone: Asked };
  consent: Consent | null;
}

export interface Inbox {
  id: string;
  site: string;
  name: string;
  is_default: boolean;
  sla: Goals;
  business_hours: BusinessHours | null;
  widget: WidgetSettings;
  etag: string;
}

export interface Site {
  id: string;
  name: string;
  origins: string[];
  search_text: boolean;
  retention_days: number | null;
  etag: string;
}

export interface Key {
  id: string;
  agent: string;
  name: string;
  last_used_at: string | null;
  revoked_at: string | null;
  secret?: string; // in the first answer only
}

export interface CannedReply {
  id: string;
  site: string;
  shortcut: string;
  text: string;
  locale: string | null;
  etag: string;
}

export interface TagCount {
  tag: string;
  count: number;
}

export interface AuditEntry {
  position: number;
  ts: string;
  action: string;
  actor?: { role: string; id: string; name: string };
  object?: string;
  conversation?: string;
}

export interface ProblemDocument {
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  request_id: string;
  retry_ms?: number;
  errors?: { pointer: string; detail?: string }[];
  resync_from?: string;
  assignee?: string | null;
  assignee_name?: string | null;
  missed?: Entry[];
  head?: number;
  oidc?: boolean;
}
