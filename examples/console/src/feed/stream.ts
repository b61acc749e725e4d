// The feed by server-sent events. Read with fetch, not EventSource: it says why it was refused, and
// can carry the key.
import type { Client } from '../api/client';
import { isProblem, problemOf } from '../api/problem';
import type { FeedEvent, Presence } from '../api/types';
import { Ended, type Carrier, type Receiver } from './carrier';
import { Watchdog } from './watchdog';

const FIRST_MS = 8000; // a proxy that holds the stream back shows nothing at all
const SILENCE_MS = 45_000;

export interface Message {
  event: string;
  id: string;
  data: string;
}

// Splits a stream of text into its messages; comments become messages without data.
export class MessageParser {
  #rest = '';

  push(text: string): Message[] {
    const blocks = (this.#rest + text).replace(/\r\n/g, '\n').split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.map(parseBlock);
  }
}

function parseBlock(block: string): Message {
  const message: Message = { event: 'message', id: '', data: '' };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'data') message.data += (message.data ? '\n' : '') + value;
    else if (name === 'event' || name === 'id') message[name] = value;
  }
  return message;
}

function take(message: Message, receiver: Receiver): void {
  if (!message.data) return;
  if (message.event === 'presence') {
    receiver.onPresence(JSON.parse(message.data) as Presence);
    return;
  }
  receiver.onEvents([JSON.parse(message.data) as FeedEvent], message.id);
}

export function streamCarrier(client: Client): Carrier {
  async function open(cursor: string, signal: AbortSignal): Promise<ReadableStreamDefaultReader<string>> {
    const response = await fetch(`${client.nodes.current}/v1/events?cursor=${encodeURIComponent(cursor)}`, {
      signal,
      cache: 'no-store',
      credentials: 'same-origin',
      headers: { ...client.headers('POST'), accept: 'text/event-stream' },
    });
    if (!response.ok) throw await problemOf(response);
    if (!response.body) throw new Ended('a stream without a body', { isBarred: true });
    return response.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  return {
    name: 'stream',
    async run(cursor: string, receiver: Receiver, signal: AbortSignal): Promise<never> {
      const silence = new Watchdog(signal, FIRST_MS);
      let isOpen = false;
      try {
        const reader = await open(cursor, silence.signal);
        const parser = new MessageParser();
        for (;;) {
          const { value, done } = await reader.read();
          if (done) throw new Ended('the stream ended', { isBarred: !isOpen });
          silence.feed(SILENCE_MS);
          if (!isOpen) receiver.onOpen();
          isOpen = true;
          for (const message of parser.push(value)) take(message, receiver);
        }
      } catch (error) {
        if (silence.isHungry) throw new Ended('nothing came', { isBarred: !isOpen });
        if (isOpen || isProblem(error) || error instanceof Ended || signal.aborted) throw error;
        throw new Ended('no stream could be opened', { isBarred: true });
      } finally {
        silence.stop();
      }
    },
  };
}
