// The console's feed: one cursor over carriers that fail, and the parsing of an event stream.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './source.mjs';

const { Ended, Feed, MessageParser, Nodes, Place, Problem } = await load(
  'feed/feed.ts', 'feed/stream.ts', 'feed/carrier.ts', 'api/nodes.ts', 'api/place.ts', 'api/problem.ts',
);

const problem = (status, code) => new Problem({ title: code, detail: code, status, code, retryable: status >= 500, request_id: '' });

// Carriers that do as the script says, one step a run; resolves when the script is over.
function runFeed(script, { names = ['websocket', 'stream', 'poll'], start = ['1.10', '2.0'], isReachable = true } = {}) {
  const ran = [];
  const events = [];
  const states = [];
  const nodes = new Nodes('http://a', ['http://b']);
  let starts = 0;
  const client = {
    nodes,
    place: new Place(),
    call: async (path, { timeoutMs } = {}) => {
      if (timeoutMs && !isReachable) throw problem(0, 'unreachable');
      return { next_cursor: start[Math.min(starts++, start.length - 1)] };
    },
  };
  let resyncs = 0;
  return new Promise((resolve) => {
    const carriers = names.map((name) => ({
      name,
      run: async (cursor, receiver, signal) => {
        ran.push(`${name} ${cursor}`);
        const step = script.shift();
        if (!step) {
          feed.stop();
          resolve({ ran, events, states, resyncs, nodes });
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
        }
        return step(receiver);
      },
    }));
    const feed = new Feed(client, carriers, {
      onResync: async () => (resyncs += 1),
      onEvents: (batch) => events.push(...batch.map(({ cursor }) => cursor)),
      onPresence: () => {},
      onState: ({ kind, carrier }) => {
        states.push(carrier ? `${kind} ${carrier}` : kind);
        if (kind === 'waiting') setTimeout(() => feed.wake());
      },
    });
    void feed.run();
  });
}

const give = (...cursors) => (receiver) => {
  receiver.onOpen();
  receiver.onEvents(cursors.map((cursor) => ({ cursor })), cursors.at(-1));
  throw new Ended('cut');
};
const bar = () => {
  throw new Ended('refused', { isBarred: true });
};

test('goes on from the last event after a cut', async () => {
  const { ran, events, resyncs } = await runFeed([give('1.11', '1.12'), give('1.13')]);
  assert.deepEqual(ran, ['websocket 1.10', 'websocket 1.12', 'websocket 1.13']);
  assert.deepEqual(events, ['1.11', '1.12', '1.13']);
  assert.equal(resyncs, 1);
});

test('a carrier that never shows life is left out; the plainest is always there', async () => {
  const { ran } = await runFeed([bar, bar, bar, give('1.11')]);
  assert.deepEqual(ran, ['websocket 1.10', 'stream 1.10', 'poll 1.10', 'poll 1.10', 'poll 1.11']);
});

test('a gateway that is down bars nothing', async () => {
  const { ran, nodes } = await runFeed([bar, give('1.11')], { isReachable: false });
  assert.deepEqual(ran, ['websocket 1.10', 'websocket 1.10', 'websocket 1.11']);
  assert.equal(nodes.current, 'http://a', 'two failures, two nodes');
});

test('an expired cursor loads everything anew and goes on from there', async () => {
  const expire = () => {
    throw problem(410, 'cursor_expired');
  };
  const { ran, resyncs } = await runFeed([give('1.11'), expire, give('2.1')]);
  assert.deepEqual(ran, ['websocket 1.10', 'websocket 1.11', 'websocket 2.0', 'websocket 2.1']);
  assert.equal(resyncs, 2);
});

test('states are told as they are', async () => {
  const { states } = await runFeed([give('1.11')]);
  assert.deepEqual(states.slice(0, 4), ['connecting', 'live websocket', 'waiting', 'connecting']);
});

test('an event stream is split wherever it is cut', () => {
  const text = ': hello\n\nid: 1.2\ndata: {"a":1}\n\nevent: presence\ndata: {"b":\ndata: 2}\n\n';
  for (let cut = 0; cut < text.length; cut += 1) {
    const parser = new MessageParser();
    const messages = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))].filter(({ data }) => data);
    assert.deepEqual(messages, [
      { event: 'message', id: '1.2', data: '{"a":1}' },
      { event: 'presence', id: '', data: '{"b":\n2}' },
    ]);
  }
});
