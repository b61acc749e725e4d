// What is remembered of a visitor, in the key holdline:{site}:session.
export interface SessionRecord {
  token?: string; // resume token: a secret
  c?: string; // conversation
  e?: string; // epoch of the position
  o: number; // position: up to here the application was given everything
  me?: string;
  read: number;
  unread: number[]; // offsets of messages of others beyond it
  rid: number; // highest number of a poll
  ws?: number; // when a WebSocket last worked here
  ref?: string;
  agent?: string | null;
  closed?: boolean;
  form?: boolean; // the pre-chat form was said
}

export const freshRecord = (): SessionRecord => ({ o: 0, read: 0, unread: [], rid: 0 });

export function readRecord(kept: any): SessionRecord {
  return { ...freshRecord(), ...(kept && kept.token ? kept : {}) };
}
