// Of two attachments of one session the newer one is the real one.
import assert from 'node:assert/strict';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();

const twin = (t, of, options) => {
  const client = t.client(gateway, options);
  client.token = of.token;
  client.rid = (of.rid ?? 0) + 1000; // later than what the other still sends in this millisecond
  client.positions = new Map(of.positions);
  client.nextSeq = of.nextSeq;
  return client;
};

for (const [first, second] of [
  ['websocket', 'websocket'],
  ['websocket', 'longpoll'],
  ['longpoll', 'websocket'],
  ['longpoll', 'longpoll'],
]) {
  wireTest(`a newer ${second} replaces a ${first}`, async (t) => {
    const old = await t.connect(gateway, { transport: first });
    await old.publish('one');
    const young = twin(t, old, { transport: second });
    const ended = old.end();
    await young.connect();
    await young.send({ t: 'ping', ts: 'confirms the welcome' });
    assert.ok(young.welcome.gen > old.welcome.gen);
    const why = await ended;
    assert.equal((why.problem ?? why.bye.problem).code, 'replaced');
    if (first === 'websocket') assert.equal(why.code, 4020);
    assert.equal((await young.publish('two')).o, 2);
  });
}

wireTest('an old generation is refused, and what it says is not taken', async (t) => {
  const old = await t.connect(gateway, { transport: 'longpoll' });
  await old.publish('one');
  const { gen } = old.link;
  const link = old.link;
  old.drop();
  const young = twin(t, old, { transport: 'websocket' });
  await young.connect();
  await young.send({ t: 'ping', ts: 'confirms the welcome' });
  await young.waitForType('pong');
  const body = { rid: 1000, gen, token: old.token, frames: [{ t: 'pub', mid: 'late', body: { text: 'late' } }] };
  const answer = await link.post(body);
  assert.equal(answer.status, 409);
  assert.equal(answer.json.code, 'replaced');
  assert.equal((await young.publish('two')).o, 2);
});

wireTest('a session that keeps moving loses and repeats nothing', async (t) => {
  const visitor = await t.connect(gateway);
  const kinds = ['longpoll', 'websocket'];
  const sends = [];
  for (let i = 0; i < 12; i += 1) {
    sends.push(visitor.publish(`m${i}`), visitor.publish(`n${i}`));
    await visitor.switchTo(kinds[i % 2]);
  }
  const answers = await Promise.all(sends);
  assert.deepEqual(answers.map((a) => a.o), Array.from({ length: 24 }, (_, i) => i + 1));
  assert.equal(new Set(visitor.texts).size, 24);
});
