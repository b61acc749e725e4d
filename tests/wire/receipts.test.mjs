// Receipts: how far the other side has received and read, wherever it said so.
import assert from 'node:assert/strict';
import { onEachTransport, useGateway } from '../support/suite.mjs';

const gateway = useGateway();
let key;

async function read(c, offset) {
  key ??= await gateway.key('ann');
  const answer = await gateway.request(`/v1/conversations/${c}/positions/me`, {
    method: 'PUT',
    body: { read: offset },
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(answer.status, 200);
}

const isReceipt = (offset) => (f) => f.t === 'receipt' && f.from.role === 'agent' && f.read === offset;

onEachTransport('what an agent reads over REST is told to the visitor at once', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  await visitor.publish('two');
  await read(visitor.c, 1);
  assert.equal((await visitor.waitFor(isReceipt(1))).delivered, 1);
  await read(visitor.c, 2);
  await visitor.waitFor(isReceipt(2));
  const told = visitor.frames.filter((f) => f.t === 'receipt');
  assert.ok(told.every((f) => f.c === visitor.c && f.read <= f.delivered), JSON.stringify(told));
});

onEachTransport('who comes back hears the receipts again before it is level', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  await visitor.publish('two');
  await read(visitor.c, 2);
  await visitor.waitFor(isReceipt(2));
  const from = visitor.frames.length;
  await visitor.attach();
  await visitor.waitFor((f) => f.t === 'synced', { from });
  const types = visitor.frames.slice(from).map((f) => f.t);
  await visitor.waitFor(isReceipt(2), { from });
  assert.ok(types.indexOf('receipt') < types.indexOf('synced'), types.join());
});

onEachTransport('an agent that follows hears how far the visitor is', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  key ??= await gateway.key('ann');
  const ann = await t.connect(gateway, { key });
  await ann.subscribe(visitor.c);
  await ann.publish('an answer', { c: visitor.c });
  await visitor.level(2);
  await visitor.send({ t: 'ack', c: visitor.c, e: visitor.welcome.conv[0].e, o: 2, read: 2 });
  await ann.waitFor((f) => f.t === 'receipt' && f.from.role === 'visitor' && f.read === 2);
  const late = await t.connect(gateway, { key: await gateway.key('bert') });
  await late.subscribe(visitor.c);
  await late.waitFor((f) => f.t === 'receipt' && f.from.role === 'visitor' && f.read === 2);
});
