// The feed by WebSocket (subprotocol holdline.events.v1).
import type { Client } from '../api/client';
import { Problem } from '../api/problem';
import type { FeedEvent, Presence, ProblemDocument } from '../api/types';
import { Ended, type Carrier, type Receiver } from './carrier';
import { Watchdog } from './watchdog';

const PROTOCOL = 'holdline.events.v1';
const FIRST_MS = 6000;
const SILENCE_MS = 45_000;
const BARRED_CODES = new Set([1002, 1003, 1006, 1015]);

type Frame =
  | { t: 'events'; data: FeedEvent[]; next_cursor: string }
  | { t: 'presence'; presence: Presence }
  | { t: 'ping' }
  | { t: 'error'; problem: ProblemDocument };

// One socket: fails with what ended it.
class Link {
  readonly #socket: WebSocket;
  readonly #receiver: Receiver;
  readonly #silence: Watchdog;
  readonly #fail: (error: Error) => void;
  #isOpen = false;

  constructor(socket: WebSocket, receiver: Receiver, silence: Watchdog, fail: (error: Error) => void) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#silence = silence;
    this.#fail = fail;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as Frame);
    socket.onclose = ({ code }) =>
      fail(new Ended(`closed with ${code}`, { isBarred: !this.#isOpen && BARRED_CODES.has(code) }));
    silence.signal.addEventListener('abort', () => fail(new Ended('nothing came', { isBarred: !this.#isOpen })));
  }

  send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #take(frame: Frame): void {
    this.#silence.feed(SILENCE_MS);
    if (!this.#isOpen && frame.t !== 'error') {
      this.#isOpen = true;
      this.#receiver.onOpen();
    }
    if (frame.t === 'events') {
      this.#receiver.onEvents(frame.data, frame.next_cursor);
      if (frame.data.length) this.send({ t: 'ack', cursor: frame.next_cursor });
    } else if (frame.t === 'presence') this.#receiver.onPresence(frame.presence);
    else if (frame.t === 'ping') this.send({ t: 'pong' });
    else if (frame.t === 'error') this.#fail(new Problem(frame.problem));
  }
}

export function webSocketCarrier(client: Client): Carrier {
  return {
    name: 'websocket',
    run(cursor: string, receiver: Receiver, signal: AbortSignal): Promise<never> {
      const silence = new Watchdog(signal, FIRST_MS);
      const url = `${client.nodes.current.replace(/^http/, 'ws')}/v1/events?cursor=${encodeURIComponent(cursor)}`;
      const socket = new WebSocket(url, PROTOCOL);
      const ended = new Promise<never>((_, reject) => {
        const link = new Link(socket, receiver, silence, reject);
        socket.onopen = () => {
          const { token } = client.credentials;
          if (token) link.send({ t: 'auth', token });
        };
      });
      return ended.finally(() => {
        silence.stop();
        socket.onmessage = socket.onclose = null;
        socket.close();
      });
    },
  };
}
