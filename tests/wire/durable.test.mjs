// What was confirmed stays, whatever happens to the gateway; what was missed comes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { onEachTransport, useGateway } from '../support/suite.mjs';

const gateway = useGateway({ env: { HOLDLINE_PUBS_PER_S: '0' } });
let agentKey;
const agent = async (t, more) => {
  agentKey ??= await gateway.key('ann');
  return t.connect(gateway, { key: agentKey, transport: 'websocket', ...more });
};

onEachTransport('confirmed, killed, there', async (t) => {
  const visitor = await t.connect(gateway);
  const ok = await visitor.publish('before');
  await gateway.restart();
  await visitor.attach();
  const [conv] = visitor.welcome.conv;
  assert.deepEqual([conv.c, conv.verdict, conv.e, conv.head], [visitor.c, 'resumed', ok.e, 1]);
  assert.equal(visitor.welcome.seq, 2);
  assert.equal((await visitor.publish('after')).o, 2);
  visitor.drop();
  const late = t.client(gateway);
  late.token = visitor.token;
  await late.connect();
  await late.level(2);
  assert.deepEqual(late.texts, ['before', 'after']);
});

onEachTransport('a message without an answer is sent again and stands once', async (t) => {
  const visitor = await t.connect(gateway, { isPersistent: true });
  await visitor.publish('0');
  const sends = [];
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 25; i += 1) sends.push(visitor.publish(`${round}.${i}`));
    await gateway.restart();
  }
  for (const answer of await Promise.all(sends)) assert.equal(answer.t, 'pub_ok');
  // All may have been confirmed before the last restart: only this says that it is attached again,
  // and that the token it has is the newest.
  assert.equal((await visitor.publish('last')).t, 'pub_ok');
  const late = t.client(gateway);
  late.token = visitor.token;
  visitor.close();
  await late.connect();
  await late.level(77);
  const expected = ['0'];
  for (let round = 0; round < 3; round += 1) for (let i = 0; i < 25; i += 1) expected.push(`${round}.${i}`);
  expected.push('last');
  assert.deepEqual(late.texts, expected);
});

onEachTransport('what was missed while away comes, and nothing else', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  visitor.drop();
  for (const text of ['two', 'three']) await ann.publish(text, { c: visitor.c });
  const from = visitor.frames.length;
  await visitor.attach();
  await visitor.level(3);
  const offsets = visitor.frames.slice(from).filter((f) => f.t === 'msg').map((f) => f.o);
  assert.deepEqual(offsets, [2, 3]);
  assert.deepEqual(visitor.texts, ['one', 'two', 'three']);
});

onEachTransport('a mid is known for ever, also after a restart', async (t) => {
  const visitor = await t.connect(gateway);
  const mid = randomUUID();
  const first = await visitor.publish('once', { mid });
  await gateway.restart();
  await visitor.attach();
  const again = await visitor.publish('once', { mid, seq: 0 });
  assert.deepEqual([again.o, again.ts, again.dup], [first.o, first.ts, true]);
});

onEachTransport('a client ahead of the log, or of another epoch, is reset', async (t) => {
  const visitor = await t.connect(gateway);
  for (const text of ['one', 'two']) await visitor.publish(text);
  const { e } = visitor.welcome.conv[0];
  for (const position of [{ e, o: 99 }, { e: `${Number(e) + 7}`, o: 1 }]) {
    visitor.positions.set(visitor.c, position);
    await visitor.attach();
    assert.equal(visitor.welcome.conv[0].verdict, 'reset');
    await visitor.level(2);
    assert.deepEqual(visitor.texts, ['one', 'two']);
  }
});

onEachTransport('5,000 entries are replayed in order', async (t) => {
  const writer = await agent(t);
  const visitor = await t.connect(gateway, { transport: 'websocket' });
  await visitor.publish('m1');
  await writer.subscribe(visitor.c);
  let sends = [];
  for (let i = 2; i <= 5000; i += 1) {
    sends.push(writer.publish(`m${i}`, { seq: 0 }));
    if (sends.length === 150 || i === 5000) {
      for (const answer of await Promise.all(sends)) assert.equal(answer.t, 'pub_ok', answer.problem?.code);
      sends = [];
    }
  }
  const late = t.client(gateway);
  late.token = visitor.token;
  visitor.drop();
  await late.connect();
  await late.level(5000, 30_000);
  assert.equal(late.holes, undefined);
  assert.deepEqual(late.texts, Array.from({ length: 5000 }, (_, i) => `m${i + 1}`));
});
