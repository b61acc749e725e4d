// Resume tokens: forged, foreign, expired, superseded, and the welcome that got lost.
import assert from 'node:assert/strict';
import { Gateway } from '../support/gateway.mjs';
import { onEachTransport, useGateway } from '../support/suite.mjs';

const gateway = useGateway();

async function refusal(t, token, options = {}, where = gateway) {
  const client = t.client(where, options);
  client.token = token;
  const error = await client.attach().then(() => assert.fail('was let in'), (e) => e);
  assert.ok(error.problem, String(error));
  return error.problem.code;
}

onEachTransport('a forged token is refused', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const { token } = visitor;
  const middle = Math.floor(token.length / 2);
  const other = token[middle] === 'A' ? 'B' : 'A';
  const forged = [
    token.slice(0, middle) + other + token.slice(middle + 1),
    token.slice(0, -1),
    token + 'A',
    token.replace('v4.local.', 'v4.public.'),
    'v4.local.',
    'x',
    'v4.local.' + 'A'.repeat(500),
  ];
  for (const each of forged) assert.equal(await refusal(t, each), 'token_invalid', each);
});

onEachTransport('a token of another gateway is refused', async (t) => {
  const foreign = await Gateway.start();
  try {
    const visitor = await t.connect(foreign);
    await visitor.publish('hello');
    assert.equal(await refusal(t, visitor.token), 'token_invalid');
  } finally {
    await foreign.remove();
  }
});

onEachTransport('an expired token is refused, and says so', async (t) => {
  const brief = await Gateway.start({ env: { HOLDLINE_TOKEN_TTL_S: '1' } });
  try {
    const visitor = await t.connect(brief);
    await visitor.publish('hello');
    const { token } = visitor;
    visitor.drop();
    let code = null;
    for (let i = 0; i < 100 && code === null; i += 1) {
      const client = t.client(brief);
      client.token = token;
      code = await client.attach().then(() => null, (error) => error.problem.code);
      client.drop();
      await new Promise((resolve) => setTimeout(resolve, 50)); // until it has expired
    }
    assert.equal(code, 'token_expired');
  } finally {
    await brief.remove();
  }
});

onEachTransport('an unknown agent key is refused', async (t) => {
  const code = await refusal(t, 'hlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  assert.ok(['unauthorized', 'token_invalid'].includes(code), code);
});

onEachTransport('a token whose welcome was lost stays good', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const { token } = visitor;
  visitor.drop();
  for (let i = 0; i < 3; i += 1) {
    const lost = t.client(gateway);
    lost.token = token;
    await lost.attach();
    assert.equal(lost.welcome.conv[0].c, visitor.c);
    lost.drop(); // it never spoke after its welcome
  }
  visitor.token = token;
  await visitor.attach();
  assert.equal((await visitor.publish('still here')).o, 2);
});

onEachTransport('a token is refused once a newer one was confirmed', async (t, transport) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const old = visitor.token;
  visitor.drop();
  await visitor.attach(transport === 'mixed' ? 'websocket' : undefined);
  assert.notEqual(visitor.token, old);
  assert.equal((await visitor.publish('confirms the new one')).o, 2);
  assert.equal(await refusal(t, old), 'replaced');
});

onEachTransport('tokens stand in no log', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const key = await gateway.key('bob');
  await t.connect(gateway, { key });
  assert.ok(!gateway.log.includes(visitor.token.slice(10, 60)));
  assert.ok(!gateway.log.includes(key));
  assert.ok(!gateway.log.includes('hello'));
});
