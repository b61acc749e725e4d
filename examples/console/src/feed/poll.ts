// The feed by long-poll: what passes every proxy.
import type { Client } from '../api/client';
import type { FeedEvent, Presence } from '../api/types';
import type { Carrier, Receiver } from './carrier';

const WAIT_S = 25;
const LATE_MS = 10_000;

interface Answer {
  data: FeedEvent[];
  next_cursor: string;
  ephemeral?: Presence[];
}

export function pollCarrier(client: Client): Carrier {
  return {
    name: 'poll',
    async run(cursor: string, receiver: Receiver, signal: AbortSignal): Promise<never> {
      for (let at = cursor, wait = 0; ; wait = WAIT_S) {
        const path = `/v1/events?presence=true&wait=${wait}&cursor=${encodeURIComponent(at)}`;
        const answer = await client.call<Answer>(path, { signal, tries: 1, timeoutMs: WAIT_S * 1000 + LATE_MS });
        signal.throwIfAborted();
        receiver.onOpen();
        for (const presence of answer.ephemeral ?? []) receiver.onPresence(presence);
        at = answer.next_cursor;
        receiver.onEvents(answer.data, at);
      }
    },
  };
}
