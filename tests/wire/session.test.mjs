// What a session does, the same on every transport.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { onEachTransport, repeating, useGateway } from '../support/suite.mjs';

const gateway = useGateway();
let agentKey;
const agent = async (t, more) => {
  agentKey ??= await gateway.key('ann');
  return t.connect(gateway, { key: agentKey, ...more });
};

onEachTransport('a first message is confirmed at offset 1', async (t) => {
  const visitor = await t.connect(gateway);
  const { welcome } = visitor;
  assert.equal(welcome.conv.length, 1);
  assert.equal(welcome.conv[0].verdict, 'resumed');
  assert.equal(welcome.conv[0].head, 0);
  assert.equal(welcome.seq, 1);
  assert.equal(welcome.dur, 'local');
  const ok = await visitor.publish('hello');
  assert.equal(ok.t, 'pub_ok');
  assert.deepEqual([ok.o, ok.dup, ok.seq, ok.dur], [1, false, 1, 'local']);
  assert.equal(ok.e, welcome.conv[0].e);
  assert.equal(visitor.position, 1);
  assert.deepEqual(visitor.texts, ['hello']);
});

onEachTransport('both sides see one order', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('0');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  const sends = [];
  for (let i = 1; i <= 20; i += 1) {
    sends.push(visitor.publish(`v${i}`), ann.publish(`a${i}`, { c: visitor.c }));
  }
  for (const answer of await Promise.all(sends)) assert.equal(answer.t, 'pub_ok', JSON.stringify(answer));
  await visitor.level(41);
  await ann.level(41);
  assert.equal(visitor.texts.length, 41);
  assert.deepEqual(visitor.texts, ann.texts);
  const own = visitor.texts.filter((text) => text.startsWith('v'));
  assert.deepEqual(own, Array.from({ length: 20 }, (_, i) => `v${i + 1}`));
});

onEachTransport('a message keeps its text to the last character', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('0');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  const texts = ['\u0001\u001f"\\/', 'Ünï😀 \u2028\u2029 中文 \u200f', 'x'.repeat(9000), ' ', '</script>'];
  for (const text of texts) assert.equal((await visitor.publish(text)).t, 'pub_ok');
  await ann.level(texts.length + 1);
  assert.deepEqual(ann.texts.slice(1), texts);
});

onEachTransport('the same mid again is confirmed with the first figures', async (t) => {
  const visitor = await t.connect(gateway);
  const mid = randomUUID();
  const first = await visitor.publish('once', { mid });
  await visitor.publish('two');
  const again = await visitor.publish('once', { mid, seq: 0 });
  assert.deepEqual([again.o, again.ts, again.dup], [first.o, first.ts, true]);
  assert.deepEqual(visitor.texts, ['once', 'two']);
});

onEachTransport('the same mid with other content is refused', async (t) => {
  const visitor = await t.connect(gateway);
  const mid = randomUUID();
  await visitor.publish('once', { mid });
  const no = await visitor.publish('other', { mid });
  assert.equal(no.t, 'pub_no');
  assert.equal(no.problem.code, 'mid_conflict');
  assert.equal(no.problem.retryable, false);
  const next = await visitor.publish('goes on');
  assert.deepEqual([next.t, next.o], ['pub_ok', 2]);
});

onEachTransport('a sequence number too high is refused, and says what is wanted', async (t) => {
  const visitor = await t.connect(gateway);
  visitor.lowestSeq = () => 1; // as of a client that has sent the first two on their way
  const no = await visitor.publish('third', { seq: 3 });
  assert.equal(no.problem.code, 'out_of_order');
  assert.equal(no.want, 1);
  assert.equal(no.problem.retryable, true);
  assert.equal((await visitor.publish('first', { seq: 1 })).o, 1);
  assert.equal((await visitor.publish('second', { seq: 2 })).o, 2);
  assert.equal((await visitor.publish('third', { seq: 3 })).o, 3);
});

onEachTransport('a refusal uses its sequence number up', async (t) => {
  const visitor = await t.connect(gateway);
  const mid = randomUUID();
  await visitor.publish('one', { mid });
  const refused = visitor.publish('conflict', { mid });
  const next = visitor.publish('two');
  assert.equal((await refused).problem.code, 'mid_conflict');
  assert.equal((await next).o, 2);
});

onEachTransport('if_seen refuses who has not seen what another wrote', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('question');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  assert.equal((await visitor.publish('one more thing')).o, 2);
  const stale = await ann.publish('answer', { c: visitor.c, if_seen: 1 });
  assert.equal(stale.t, 'pub_no');
  assert.equal(stale.problem.code, 'stale');
  assert.equal(stale.head, 2);
  assert.equal((await ann.publish('answer', { c: visitor.c, if_seen: 2 })).o, 3);
});

onEachTransport('notes are for agents only', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('question');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  assert.equal((await ann.publish('secret', { c: visitor.c, kind: 'note' })).o, 2);
  assert.equal((await ann.publish('answer', { c: visitor.c })).o, 3);
  await visitor.level(3);
  const last = visitor.frames.filter((f) => f.t === 'msg').at(-1);
  assert.deepEqual([last.o, last.after], [3, 1]);
  assert.deepEqual(visitor.texts, ['question', 'answer']);
  assert.equal((await visitor.publish('thanks')).o, 4);
  assert.equal((await ann.publish('another secret', { c: visitor.c, kind: 'note' })).o, 5);
  const late = t.client(gateway);
  late.token = visitor.token;
  await late.connect();
  await late.until(() => late.synced.get(late.c), 'synced');
  assert.deepEqual(late.texts, ['question', 'answer', 'thanks']);
  assert.ok(!JSON.stringify([visitor.frames, late.frames]).includes('secret'));
  const refused = await late.publish('I am staff', { kind: 'note' });
  assert.equal(refused.t, 'pub_no', 'a visitor cannot write notes');
});

onEachTransport('typing and presence reach the other side', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  const seen = await visitor.waitFor((f) => f.t === 'presence' && f.on === true);
  assert.equal(seen.from.role, 'agent');
  const typing = await repeating(() => ann.send({ t: 'typing', c: visitor.c, on: true }),
    visitor.waitForType('typing'));
  assert.deepEqual([typing.c, typing.from.role, typing.on], [visitor.c, 'agent', true]);
  const answer = await repeating(() => visitor.send({ t: 'typing', on: true }), ann.waitForType('typing'));
  assert.equal(answer.from.role, 'visitor');
});

onEachTransport('acks are the receipts of the other side', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  await ann.send({ t: 'ack', c: visitor.c, e: visitor.welcome.conv[0].e, o: 1, read: 1 });
  const receipt = await visitor.waitFor((f) => f.t === 'receipt' && f.read === 1);
  assert.deepEqual([receipt.delivered, receipt.from.role], [1, 'agent']);
});

onEachTransport('a ping is answered with its ts', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.send({ t: 'ping', ts: 'seventeen' });
  assert.equal((await visitor.waitForType('pong')).ts, 'seventeen');
});

onEachTransport('hist sends again from anywhere', async (t) => {
  const visitor = await t.connect(gateway);
  for (let i = 1; i <= 10; i += 1) await visitor.publish(`m${i}`);
  const from = visitor.frames.length;
  await visitor.send({ t: 'hist', after: 4 });
  await visitor.waitFor((f) => f.t === 'msg' && f.o === 10, { from });
  const offsets = visitor.frames.slice(from).filter((f) => f.t === 'msg').map((f) => f.o);
  assert.deepEqual(offsets, [5, 6, 7, 8, 9, 10]);
  assert.equal((await visitor.publish('m11')).o, 11);
  assert.equal(visitor.texts.length, 11);
});

onEachTransport('auth renews the resume token', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const old = visitor.token;
  await visitor.send({ t: 'auth' });
  const ok = await visitor.waitForType('auth_ok');
  assert.ok(ok.token && ok.token !== old);
  assert.ok(Date.parse(ok.expires) > Date.now());
  visitor.drop();
  await visitor.attach();
  assert.equal(visitor.welcome.conv[0].verdict, 'resumed');
});

onEachTransport('forms and ratings are entries too', async (t) => {
  const visitor = await t.connect(gateway);
  assert.equal((await visitor.publish({ email: 'ann@example.com' }, { kind: 'form' })).o, 1);
  assert.equal((await visitor.publish({ score: 5 }, { kind: 'rated' })).o, 2);
  const ann = await agent(t);
  await ann.subscribe(visitor.c);
  await ann.level(2);
  const kinds = ann.frames.filter((f) => f.t === 'msg').map((f) => [f.kind, f.body]);
  assert.deepEqual(kinds, [['form', { email: 'ann@example.com' }], ['rated', { score: 5 }]]);
});

onEachTransport('several frames may come in one message', async (t) => {
  const visitor = await t.connect(gateway);
  const pub = (n) => ({ t: 'pub', mid: randomUUID(), seq: n, body: { text: `m${n}` } });
  const from = visitor.frames.length;
  const batch = [pub(1), { t: 'ping', ts: 'b' }, pub(2), pub(3)];
  visitor.link.send(batch);
  await visitor.waitFor((f) => f.t === 'pub_ok' && f.seq === 3, { from });
  const oks = visitor.frames.slice(from).filter((f) => f.t === 'pub_ok').map((f) => f.o);
  assert.deepEqual(oks, [1, 2, 3]);
});
