// Credit, slow readers, repair of what got lost, following and leaving, a full disk.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { checkProblem } from '../support/schemas.mjs';
import { Gateway } from '../support/gateway.mjs';
import { onEachTransport, useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway({
  env: { HOLDLINE_PING_MS: '2500', HOLDLINE_PONG_MS: '2400', HOLDLINE_STALL_MS: '4000', HOLDLINE_CREDIT_ENTRIES: '8', HOLDLINE_PUBS_PER_S: '0' },
});
let agentKey;

async function agentAt(t, visitor, more) {
  agentKey ??= await gateway.key('ann');
  const ann = await t.connect(gateway, { key: agentKey, transport: 'websocket', ...more });
  await ann.subscribe(visitor.c);
  return ann;
}

async function say(from, c, texts) {
  for (const text of texts) assert.equal((await from.publish(text, { c })).t, 'pub_ok');
}

// The client loses this message on its way, once.
function lose(client, text) {
  const receive = client.receive.bind(client);
  let isLost = false;
  client.receive = (frame) => {
    if (!isLost && frame.t === 'msg' && frame.body.text === text) isLost = true;
    else receive(frame);
  };
}

onEachTransport('a message that got lost is noticed at the next one', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agentAt(t, visitor);
  lose(visitor, 'two');
  await say(ann, visitor.c, ['two', 'three', 'four']);
  await visitor.level(4);
  assert.deepEqual(visitor.texts, ['one', 'two', 'three', 'four']);
});

onEachTransport('a last message that got lost is noticed at the next ping', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agentAt(t, visitor);
  lose(visitor, 'two');
  await say(ann, visitor.c, ['two']);
  await visitor.level(2);
  assert.deepEqual(visitor.texts, ['one', 'two']);
});

wireTest('no more than the credit is under way; an ack lets the rest come', async (t) => {
  const visitor = await t.connect(gateway, { doesAck: false });
  assert.equal(visitor.welcome.credit, 8);
  await visitor.publish('1');
  await visitor.send({ t: 'ack', o: 1 });
  const ann = await agentAt(t, visitor);
  await say(ann, visitor.c, Array.from({ length: 20 }, (_, i) => `${i + 2}`));
  await visitor.level(9);
  await visitor.send({ t: 'ping', ts: 'x' });
  await visitor.waitForType('pong');
  assert.equal(visitor.position, 9);
  await visitor.send({ t: 'credit', n: 2 });
  await visitor.send({ t: 'ack', o: 9 });
  await visitor.level(11);
  await visitor.send({ t: 'ack', o: 11 });
  await visitor.level(13);
});

wireTest('who never acknowledges is ended as slow, and resumes', async (t) => {
  const visitor = await t.connect(gateway, { doesAck: false });
  await visitor.publish('1');
  const ann = await agentAt(t, visitor);
  await say(ann, visitor.c, Array.from({ length: 20 }, (_, i) => `${i + 2}`));
  const { bye, code } = await visitor.end();
  assert.deepEqual([code, bye.name, bye.class], [4104, 'slow_consumer', 'later']);
  visitor.doesAck = true;
  visitor.ended = null;
  await visitor.attach();
  await visitor.level(21);
  assert.equal(visitor.texts.length, 21);
});

wireTest('who does not answer pings is ended', async (t) => {
  const silent = await Gateway.start({ env: { HOLDLINE_PING_MS: '500', HOLDLINE_PONG_MS: '300' } });
  try {
    const visitor = t.client(silent);
    visitor.on_ping = () => {};
    await visitor.connect();
    const { bye } = await visitor.end();
    assert.equal(bye.name, 'timeout');
  } finally {
    await silent.remove();
  }
});

onEachTransport('agents follow and leave conversations', async (t, transport) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agentAt(t, visitor);
  await ann.send({ t: 'unsub', c: visitor.c });
  await ann.send({ t: 'ping', ts: 'left' });
  await ann.waitForType('pong');
  await visitor.publish('two');
  await ann.subscribe(visitor.c, 1);
  assert.deepEqual(ann.texts, ['one', 'two']);
  await ann.send({ t: 'sub', c: 'cnv_00000000000000000000000000000000' });
  const error = await ann.waitForType('error');
  assert.equal(error.problem.code, 'unknown_conversation');
  if (transport !== 'websocket') return; // presence is lost on who is between two polls
  const gone = await visitor.waitFor((f) => f.t === 'presence' && f.on === false);
  assert.equal(gone.from.role, 'agent');
});

wireTest('an agent goes on where it was by pos', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agentAt(t, visitor);
  ann.drop();
  await visitor.publish('two');
  await ann.attach();
  assert.deepEqual([ann.welcome.conv[0].c, ann.welcome.conv[0].verdict], [visitor.c, 'resumed']);
  await ann.level(2);
  assert.deepEqual(ann.texts, ['one', 'two']);
});

wireTest('an agent goes on with another key', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const ann = await agentAt(t, visitor);
  await ann.send({ t: 'auth', token: agentKey });
  const answer = await ann.waitFor((f) => f.t === 'auth_ok' || f.t === 'error');
  assert.equal(answer.t, 'auth_ok', JSON.stringify(answer));
});

wireTest('too many frames in one message: an error, and the link stays', async (t) => {
  const visitor = await t.connect(gateway);
  visitor.link.sendRaw(JSON.stringify(Array.from({ length: 257 }, () => ({ t: 'ping' }))));
  const error = await visitor.waitForType('error');
  assert.equal(error.problem.code, 'invalid_frame');
  assert.equal((await visitor.publish('one')).o, 1);
});

wireTest('a bye closes in peace', async (t) => {
  const visitor = await t.connect(gateway);
  const closed = new Promise((resolve) => visitor.link.socket.once('close', resolve));
  await visitor.send({ t: 'bye' });
  assert.equal(await closed, 1000);
  assert.equal(visitor.frames.some((frame) => frame.t === 'bye'), false);
});

wireTest('a WebSocket address takes only GET', async () => {
  const answer = await gateway.request('/v1/ws', { method: 'POST', body: {} });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'GET');
});

wireTest('who asks for the same again and again is told to wait', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const from = visitor.frames.length;
  visitor.link.send(Array.from({ length: 60 }, () => ({ t: 'hist', after: 0 })));
  const error = await visitor.waitFor((frame) => frame.t === 'error', { from });
  assert.equal(error.problem.code, 'too_fast');
  assert.ok(error.problem.retry_ms > 0);
  assert.equal((await visitor.publish('two')).o, 2);
});

wireTest('to follow anew from a foreign epoch is refused, as it is the first time', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const agent = await t.connect(gateway, { key: await gateway.key('ann') });
  await agent.subscribe(visitor.c);
  const from = agent.frames.length;
  agent.link.send([{ t: 'sub', c: visitor.c, e: '1', after: 1 }]);
  const error = await agent.waitFor((frame) => frame.t === 'error', { from });
  assert.equal(error.problem.code, 'cursor_expired');
});

wireTest('bye forgets the session, not the conversation', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  await visitor.send({ t: 'bye' });
  await visitor.end();
  visitor.ended = null;
  await visitor.attach();
  assert.equal(visitor.welcome.conv[0].head, 1);
});

wireTest('without disk space nothing is taken, and everybody is told', async (t) => {
  const full = await Gateway.start({ env: { HOLDLINE_DISK_FREE_MIN: String(2 ** 50) } });
  try {
    const visitor = await t.connect(full);
    const no = await visitor.publish('one');
    assert.deepEqual([no.problem.code, no.problem.retryable], ['storage_full', true]);
    const body = { contact: {}, message: { text: 'x' } };
    const enquiry = await full.request('/v1/enquiries', { body, headers: { 'idempotency-key': randomUUID() } });
    assert.deepEqual([enquiry.status, enquiry.json.code], [507, 'storage_full']);
    checkProblem(enquiry.json);
    const ready = await full.request('/readyz');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /disk|space/);
    assert.equal((await full.request('/livez')).status, 200);
  } finally {
    await full.remove();
  }
});
