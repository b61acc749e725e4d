// The agents' feed on its three transports: one body of tests, run on each.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { FEED_TRANSPORTS, FeedReader } from '../support/feed.mjs';
import { checkApi } from '../support/openapi.mjs';
import { repeating, useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const keys = {};
const keyOf = (name) => (keys[name] ??= gateway.key(name));

async function call(method, path, { name = 'ann', body, headers = {} } = {}) {
  const authorization = { authorization: `Bearer ${await keyOf(name)}` };
  const answer = await gateway.request(path, { method, body, headers: { ...authorization, ...headers } });
  checkApi(method, path, answer);
  return answer;
}

const path = (visitor, rest = '') => `/v1/conversations/${visitor.c}${rest}`;

// run(t, open): open(options) is a reader on the transport, closed when the test ends.
function onEachFeed(name, run) {
  for (const transport of FEED_TRANSPORTS) {
    wireTest(`${name} [${transport}]`, async (t) => {
      const readers = [];
      const open = async ({ name: who = 'ann', ...options } = {}) => {
        const reader = new FeedReader(gateway, { key: await keyOf(who), transport, ...options });
        readers.push(reader);
        return reader.start();
      };
      try {
        await run(t, open, transport);
      } finally {
        await Promise.all(readers.map((reader) => reader.close()));
      }
    });
  }
}

async function openConversation(t, texts = ['question']) {
  const visitor = await t.connect(gateway);
  for (const text of texts) await visitor.publish(text);
  return visitor;
}

// Some visitors who write many messages at once; the pace of one is limited.
async function openCrowd(t) {
  const visitors = await Promise.all(Array.from({ length: 4 }, () => t.connect(gateway)));
  const all = visitors.flatMap((visitor) => upTo(100).map((i) => visitor.publish(`m${i}`)));
  await Promise.all(all);
  return new Set(visitors.map((visitor) => visitor.c));
}

const offsets = (reader, visitor) => reader.of(visitor.c).map((event) => event.offset);
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

onEachFeed('what happens is told with its type, site and inbox', async (t, open) => {
  const reader = await open();
  const visitor = await openConversation(t, ['one', 'two']);
  const claimed = await call('PUT', path(visitor, '/assignee'), { headers: { 'if-none-match': '*' } });
  await call('PUT', path(visitor, `/messages/${randomUUID()}`), { body: { text: 'aside', visibility: 'internal' } });
  const etag = claimed.json.etag;
  await call('PATCH', path(visitor), { body: { status: 'closed', tags: ['done'] }, headers: { 'if-match': etag } });
  await reader.until(() => reader.of(visitor.c).length >= 5, 'five events');
  assert.deepEqual(
    reader.of(visitor.c).map((event) => event.type),
    ['conversation.created', 'message.created', 'conversation.claimed', 'note.created', 'conversation.closed'],
  );
  assert.deepEqual([...new Set(reader.of(visitor.c).map((event) => event.site))], ['default']);
});

onEachFeed('a reader that is cut off again and again misses and repeats nothing', async (t, open) => {
  const reader = await open();
  const visitor = await openConversation(t, []);
  for (let i = 1; i <= 60; i += 1) {
    await visitor.publish(`m${i}`);
    if (i % 6 === 0) reader.drop();
  }
  await reader.until(() => reader.of(visitor.c).length >= 60, 'all of it');
  assert.deepEqual(offsets(reader, visitor), upTo(60));
});

onEachFeed('kill -9 of the gateway loses nothing of the feed', async (t, open) => {
  const reader = await open();
  const visitor = await openConversation(t, ['one', 'two']);
  await gateway.restart();
  await visitor.attach();
  for (const text of ['three', 'four', 'five']) await visitor.publish(text);
  await reader.until(() => reader.of(visitor.c).length >= 5, 'five events');
  assert.deepEqual(offsets(reader, visitor), upTo(5));
});

onEachFeed('a reader from the start gets everything, however much', async (t, open) => {
  const crowd = await openCrowd(t);
  const reader = await open({ cursor: 'start' });
  const mine = () => reader.events.filter((event) => crowd.has(event.conversation));
  await reader.until(() => mine().length >= 400, 'all of it');
  assert.equal(mine().length, 400);
});

onEachFeed('filters', async (t, open) => {
  const wanted = await openConversation(t);
  const reader = await open({ query: `&conversation=${wanted.c}` });
  const nowhere = await open({ query: '&site=elsewhere' });
  const other = await openConversation(t);
  await wanted.publish('again');
  await reader.until(() => reader.events.length > 0, 'an event');
  assert.deepEqual(reader.events.map((event) => [event.conversation, event.offset]), [[wanted.c, 2]]);
  assert.equal(nowhere.of(other.c).length, 0);
});

onEachFeed('typing goes both ways, viewing to agents only', async (t, open) => {
  const visitor = await openConversation(t);
  const reader = await open({ name: 'bob', query: '&presence=true' });
  const about = (what) => reader.presence.some((p) => p.what === what && p.conversation === visitor.c && p.on);
  await repeating(
    () => visitor.send({ t: 'typing', c: visitor.c, on: true }),
    reader.until(() => reader.presence.some((p) => p.what === 'typing' && p.from.role === 'visitor'), 'the visitor types'),
  );
  const say = () => call('PUT', path(visitor, '/presence'), { body: { viewing: true, typing: true } });
  assert.equal((await say()).status, 204);
  await repeating(say, reader.until(() => about('viewing') && about('typing'), 'the other agent'));
  await visitor.until(() => visitor.frames.some((f) => f.t === 'typing' && f.from.role === 'agent' && f.on), 'typing');
  assert.ok(!visitor.frames.some((f) => f.t === 'viewing'));
  const bad = await call('PUT', path(visitor, '/presence'), { body: { typing: 'yes' } });
  assert.equal(bad.status, 422);
});

onEachFeed('a cursor of another epoch ends with where to go on', async (t, open, transport) => {
  const { json } = await call('GET', '/v1/events');
  const [epoch, position] = json.next_cursor.split('.');
  const reader = new FeedReader(gateway, { key: await keyOf('ann'), transport, cursor: `${Number(epoch) + 1}.${position}` });
  void reader.start().catch(() => {});
  await reader.until(() => reader.ends.length > 0, 'an end');
  const [end] = reader.ends;
  assert.equal(end.problem.code, 'cursor_expired');
  assert.equal(end.problem.resync_from, `${epoch}.0`);
  if (transport === 'websocket') assert.equal(end.code, 4019);
  else assert.equal(end.status, 410);
  await reader.close();
});

onEachFeed('a gateway that drains sends its readers away in good order', async (t, open, transport) => {
  const reader = await open();
  const ends = reader.ends.length;
  assert.equal(await gateway.stop(), 0);
  if (transport === 'websocket') {
    await reader.until(() => reader.ends.length > ends, 'an end');
    assert.deepEqual([reader.ends[ends].code, reader.ends[ends].problem.code], [4200, 'draining']);
  }
  await gateway.start();
  const visitor = await openConversation(t, ['after']);
  await reader.until(() => reader.of(visitor.c).length === 1, 'the message');
});

wireTest('a WebSocket that does not acknowledge gets its credit and no more', async (t) => {
  const key = await keyOf('ann');
  const reader = new FeedReader(gateway, { key, transport: 'websocket', doesAck: false });
  await reader.start();
  const quick = new FeedReader(gateway, { key, transport: 'websocket', cursor: reader.cursor });
  await quick.start();
  await openCrowd(t);
  await quick.until(() => quick.events.length >= 400, 'all, for a reader that does');
  assert.equal(reader.events.length, 256);
  reader.socket.send(JSON.stringify({ t: 'ack', cursor: reader.cursor }));
  await reader.until(() => reader.events.length >= 400, 'the rest');
  await Promise.all([reader.close(), quick.close()]);
});

// One WebSocket by hand: the first problem, or the close code without one.
function openRaw({ headers = {}, say = [], query = '' } = {}) {
  return new Promise((resolve, reject) => {
    const url = `${gateway.url.replace(/^http/, 'ws')}/v1/events${query}`;
    const socket = new WebSocket(url, 'holdline.events.v1', { headers });
    let problem;
    socket.on('open', () => say.forEach((text) => socket.send(text)));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.t === 'error') problem = frame.problem;
      if (frame.t === 'pong') resolve('pong') ?? socket.terminate();
    });
    socket.on('close', (code) => resolve([problem?.code, code]));
    socket.on('error', reject);
  });
}

wireTest('who reads is said by header or by the first frame', async (t) => {
  const key = await keyOf('ann');
  const reader = new FeedReader(gateway, { key, transport: 'websocket', says: 'frame' });
  await reader.start();
  const visitor = await openConversation(t);
  await reader.until(() => reader.of(visitor.c).length === 1, 'an event');
  await reader.close();
  const wrong = { authorization: 'Bearer hlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' };
  assert.deepEqual(await openRaw({ headers: wrong }), ['unauthorized', 4010]);
  const cookie = 'somebody=elses'; // a browser sends what it has
  assert.equal(await openRaw({ headers: { cookie }, say: [JSON.stringify({ t: 'auth', token: key }), '{"t":"ping"}'] }), 'pong');
  assert.deepEqual(await openRaw({ say: ['{"t":"auth","token":"nonsense"}'] }), ['unauthorized', 4010]);
  assert.deepEqual(await openRaw({ say: ['{"t":"ping"}'] }), ['unauthorized', 4010]);
});

wireTest('frames that are not good end a WebSocket with their problem', async () => {
  const headers = { authorization: `Bearer ${await keyOf('ann')}` };
  assert.deepEqual(await openRaw({ headers, say: ['{'] }), ['not_json', 4000]);
  assert.deepEqual(await openRaw({ headers, say: ['[]'] }), ['invalid_frame', 4000]);
  assert.deepEqual(await openRaw({ headers, say: ['{"t":"ack","cursor":"9.9"}'] }), ['invalid_frame', 4000]);
  assert.deepEqual(await openRaw({ headers, say: [Buffer.from('{}')] }), ['unsupported_type', 4003]);
  assert.deepEqual(await openRaw({ headers, query: '?cursor=nonsense' }), ['invalid_field', 4000]);
  assert.equal(await openRaw({ headers, say: ['{"t":"later"}', '{"t":"ping"}'] }), 'pong', 'unknown frames are ignored');
});

