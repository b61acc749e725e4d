// What an agent follows over a link ends when it goes out of their sight.
import assert from 'node:assert/strict';
import { onEachTransport, useGateway } from '../support/suite.mjs';

const gateway = useGateway();
let admin;

async function call(method, path, body) {
  admin ??= gateway.key('root', ['--role', 'admin']);
  const headers = { authorization: `Bearer ${await admin}`, 'if-match': '*' };
  const answer = await gateway.request(path, { method, body, headers });
  assert.ok(answer.status < 300, answer.text);
  return answer.json;
}

// Two inboxes, an agent of the first, and a visitor in it whom the agent follows.
async function furnish(t) {
  const names = [`One ${t.name}`, `Two ${t.name}`];
  const [one, two] = await Promise.all(names.map((name) => call('POST', '/v1/inboxes', { name })));
  const agent = await call('POST', '/v1/agents', { name: 'Nina', role: 'agent', inboxes: [one.id] });
  const { secret } = await call('POST', '/v1/keys', { agent: agent.id, name: 'x' });
  const visitors = [];
  for (const text of ['first', 'other']) {
    const visitor = await t.connect(gateway, { hello: { inbox: one.id } });
    await visitor.publish(text);
    visitors.push(visitor);
  }
  const nina = await t.connect(gateway, { key: secret });
  for (const { c } of visitors) await nina.subscribe(c);
  return { two, agent, nina, visitors };
}

async function comesBackTo(nina, visitors) {
  const ended = await nina.end();
  assert.equal((ended.problem ?? ended.bye.problem).code, 'session_expired');
  nina.ended = undefined;
  nina.outbox.length = 0;
  const { conv } = await nina.connect();
  assert.deepEqual(conv.map(({ c }) => c), visitors.map(({ c }) => c));
}

async function sayUnheard(nina, visitor) {
  await visitor.publish('not for Nina');
  await nina.send({ t: 'hist', c: visitor.c, after: 0 });
  const error = await nina.waitForType('error');
  assert.equal(error.problem.code, 'unknown_conversation');
  assert.ok(!JSON.stringify(nina.frames).includes('not for Nina'));
}

onEachTransport('a conversation that moves to another inbox', async (t) => {
  const { two, nina, visitors: [moved, kept] } = await furnish(t);
  await call('PUT', `/v1/conversations/${moved.c}/assignee`, { inbox: two.id });
  await comesBackTo(nina, [kept]);
  await sayUnheard(nina, moved);
  await kept.publish('for Nina');
  await nina.waitFor((frame) => frame.t === 'msg' && frame.body.text === 'for Nina');
});

onEachTransport('an agent who gets other inboxes', async (t) => {
  const { two, agent, nina, visitors } = await furnish(t);
  await call('PATCH', `/v1/agents/${agent.id}`, { inboxes: [two.id] });
  await comesBackTo(nina, []);
  await sayUnheard(nina, visitors[0]);
});
