// Several sites in one gateway: who may go where, and whose a conversation is.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { EventStream, request } from '../support/http.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const SHOP = 'https://shop.example';
let admin;
let house;

async function call(method, path, body, headers = {}) {
  admin ??= await gateway.key('root', ['--role', 'admin']);
  const answer = await gateway.request(path, { method, body, headers: { authorization: `Bearer ${admin}`, ...headers } });
  assert.ok(answer.status < 300, answer.text);
  return answer.json;
}

// Two sites, an inbox beside the default one, and a secret for identities.
function furnish() {
  house ??= (async () => {
    await call('POST', '/v1/sites', { id: 'shop', name: 'The Shop', origins: [SHOP] });
    await call('POST', '/v1/sites', { id: 'bank', name: 'The Bank', origins: ['https://bank.example'] });
    const returns = await call('POST', '/v1/inboxes', {
      site: 'shop', name: 'Returns', sla: { first_response_minutes: 30 },
      business_hours: { time_zone: 'UTC', week: [], holidays: [] },
      widget: { title: 'Send it back', greeting: 'Hello', consent: { text: 'Fine?' } },
    });
    const { identity_secret: secret } = await call('POST', '/v1/sites/shop/identity-secret');
    return { returns: returns.id, secret };
  })();
  return house;
}

const conversation = (c) => call('GET', `/v1/conversations/${c}`);
const refusal = (promise) => promise.then(() => null, (error) => error.problem?.code ?? String(error));

wireTest('a page may only go to the site that lists it', async (t) => {
  await furnish();
  const go = (site, origin, transport) => refusal(t.connect(gateway, { site, transport, headers: { origin } }));
  for (const transport of ['websocket', 'longpoll']) {
    assert.equal(await go('shop', SHOP, transport), null);
    assert.equal(await go('bank', SHOP, transport), 'origin_forbidden');
    assert.equal(await go('default', SHOP, transport), 'origin_forbidden');
    assert.equal(await go('shop', 'https://evil.example', transport), 'origin_forbidden');
    assert.equal(await go('shop', gateway.url, transport), null, 'its own host may everywhere');
    assert.equal(await go('nowhere', SHOP, transport), 'unknown_site');
  }
});

wireTest('preflights and answers follow the sites', async () => {
  await furnish();
  const preflight = (origin) => request(`${gateway.url}/v1/enquiries`, {
    method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' },
  });
  assert.equal((await preflight(SHOP)).headers['access-control-allow-origin'], SHOP);
  assert.equal((await preflight('https://evil.example')).headers['access-control-allow-origin'], undefined);
  await call('PATCH', '/v1/sites/bank', { origins: ['https://new-bank.example'] }, { 'if-match': '*' });
  assert.equal((await preflight('https://new-bank.example')).headers['access-control-allow-origin'], 'https://new-bank.example');
  assert.equal((await preflight('https://bank.example')).headers['access-control-allow-origin'], undefined);
});

wireTest('a conversation goes to the inbox that was named, or to the default one', async (t) => {
  const { returns } = await furnish();
  for (const inbox of ['Returns', returns]) {
    const visitor = await t.connect(gateway, { site: 'shop', hello: { inbox } });
    const ok = await visitor.publish('It does not fit');
    const seen = await conversation(visitor.c);
    assert.equal(seen.site, 'shop');
    assert.equal(seen.inbox, returns);
    assert.equal(ok.reference, seen.reference);
  }
  const visitor = await t.connect(gateway, { site: 'shop' });
  await visitor.publish('Hello');
  const seen = await conversation(visitor.c);
  assert.notEqual(seen.inbox, returns);
  assert.match(seen.inbox, /^inb_/);
  assert.equal(await refusal(t.connect(gateway, { site: 'bank', hello: { inbox: returns } })), 'unknown_inbox');
});

wireTest('an identity is proved by its site, and a token stays its person\'s', async (t) => {
  const { secret } = await furnish();
  const identity = (id) => ({ id, hash: createHmac('sha256', Buffer.from(secret, 'hex')).update(id).digest('hex') });
  const visitor = await t.connect(gateway, { site: 'shop', hello: { identity: identity('customer-1') } });
  await visitor.publish('It is me');
  assert.equal((await conversation(visitor.c)).identity, 'customer-1');
  const forged = { ...identity('customer-1'), id: 'customer-2' };
  assert.equal(await refusal(t.connect(gateway, { site: 'shop', hello: { identity: forged } })), 'identity_invalid');
  assert.equal(await refusal(t.connect(gateway, { site: 'bank', hello: { identity: identity('customer-1') } })), 'identity_invalid');
  const other = t.client(gateway, { site: 'shop', hello: { identity: identity('customer-2'), token: visitor.token } });
  assert.equal(await refusal(other.connect()), 'token_invalid');
  const same = await t.connect(gateway, { hello: { identity: identity('customer-1'), token: visitor.token } });
  assert.equal(same.welcome.conv[0].c, visitor.c);
});

wireTest('an enquiry goes where it says, and promises what the inbox promises', async () => {
  const { returns } = await furnish();
  const post = (more, headers = {}) => gateway.request('/v1/enquiries', {
    body: { contact: { email: 'ann@example.com' }, message: { text: 'Hi' }, context: { page: '/cart' }, ...more },
    headers: { 'idempotency-key': randomUUID(), ...headers },
  });
  const made = await post({ site: 'shop', inbox: 'Returns' }, { origin: SHOP });
  assert.equal(made.status, 201, made.text);
  const seen = await conversation(made.json.conversation);
  assert.equal(seen.inbox, returns);
  assert.equal(seen.site, 'shop');
  assert.deepEqual(seen.context, { page: '/cart' });
  assert.equal(made.headers['access-control-allow-origin'], SHOP);
  // an inbox that never opens promises its goal in plain time
  assert.equal(Date.parse(made.json.expected_by) - Date.parse(seen.opened_at), 30 * 60_000);
  for (const [more, headers, status, code] of [
    [{ site: 'nowhere' }, {}, 404, 'unknown_site'],
    [{ site: 'shop', inbox: 'x' }, {}, 404, 'unknown_inbox'],
    [{ site: 'bank' }, { origin: SHOP }, 403, 'origin_forbidden'],
    [{ site: 'shop', inbox: 7 }, {}, 422, 'invalid_field'],
  ]) {
    const refused = await post(more, headers);
    assert.deepEqual([refused.status, refused.json.code], [status, code]);
  }
});

wireTest('the widget of an inbox that was set up', async () => {
  const { returns } = await furnish();
  const widget = (await gateway.request('/v1/widget?site=shop&inbox=Returns', { headers: { origin: SHOP } })).json;
  assert.equal(widget.inbox, returns);
  assert.equal(widget.title, 'Send it back');
  assert.equal(widget.greeting, 'Hello');
  assert.equal(widget.consent.text, 'Fine?');
  assert.equal(widget.availability.open, false);
  assert.equal(widget.availability.opens_at, null);
  assert.equal((await gateway.request('/v1/widget?site=shop')).json.title, 'The Shop');
});

wireTest('agents of one site do not learn of another', async (t) => {
  await furnish();
  const ann = await gateway.key('ann', ['--site', 'bank']);
  const visitor = await t.connect(gateway, { site: 'shop' });
  await visitor.publish('secret');
  const agent = await t.connect(gateway, { key: ann });
  const from = agent.frames.length;
  agent.link.send([{ t: 'sub', c: visitor.c }]);
  const error = await agent.waitFor((frame) => frame.t === 'error', { from });
  assert.equal(error.problem.code, 'unknown_conversation');
  const late = await t.connect(gateway, { key: ann, hello: { pos: [{ c: visitor.c, e: '1', o: 0 }] } });
  assert.deepEqual(late.welcome.conv, []);
});

wireTest('who is online is told to their own site, and of agents of all sites to everybody', async () => {
  await furnish();
  const open = async (key) => {
    const stream = new EventStream(`${gateway.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await stream.opened).status, 200);
    return stream;
  };
  const keys = [];
  for (const [name, more] of [['Bo', ['--site', 'bank']], ['Sue', ['--site', 'shop']], ['Al', []], ['Bea', ['--site', 'bank']]]) {
    keys.push(await gateway.key(name, more));
  }
  const streams = [await open(keys[0])];
  for (const key of keys.slice(1)) streams.push(await open(key));
  const told = [await streams[0].next(), await streams[0].next()].map(({ data }) => data.from.id);
  const ids = [];
  for (const key of keys) ids.push((await gateway.request('/v1/agent', { headers: { authorization: `Bearer ${key}` } })).json.id);
  assert.deepEqual(told, [ids[2], ids[3]], 'not of the shop');
  for (const stream of streams) stream.close();
});

wireTest('a site with conversations stays: its next owner would find them', async (t) => {
  await call('POST', '/v1/sites', { id: 'brief', name: 'Brief' });
  const visitor = await t.connect(gateway, { site: 'brief' });
  await visitor.publish('hello');
  const headers = { authorization: `Bearer ${admin}`, 'if-match': '*' };
  const drop = () => gateway.request('/v1/sites/brief', { method: 'DELETE', headers });
  const kept = await drop();
  assert.deepEqual([kept.status, kept.json.code], [409, 'in_use']);
  const body = { conversation: visitor.c, reason: 'the site ends' };
  const options = { method: 'POST', body, headers: { ...headers, 'idempotency-key': randomUUID() } };
  assert.equal((await gateway.request('/v1/erasures', options)).status, 202);
  let gone = await drop();
  for (let i = 0; i < 100 && gone.status === 409; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone = await drop();
  }
  assert.equal(gone.status, 204);
});

wireTest('who signed in, and out, stands in the audit log', async () => {
  const key = await gateway.key('kim');
  const headers = { 'sec-fetch-site': 'same-origin' };
  const answer = await gateway.request('/v1/session', { method: 'POST', headers, body: { key } });
  const cookie = [answer.headers['set-cookie']].flat()[0].split(';')[0];
  await gateway.request('/v1/session', { method: 'DELETE', headers: { ...headers, cookie } });
  const actions = async () => {
    const { data } = await call('GET', `/v1/audit?actor=${answer.json.id}`);
    return data.map((entry) => entry.action);
  };
  let seen = await actions();
  for (let i = 0; i < 20 && !seen.includes('sign_in.ended'); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    seen = await actions();
  }
  assert.ok(seen.includes('sign_in.completed'), String(seen));
  assert.ok(seen.includes('sign_in.ended'), String(seen));
});
