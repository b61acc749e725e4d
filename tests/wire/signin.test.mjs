// Signing in with an API key: the cookie, who may use it, and how it ends.
import assert from 'node:assert/strict';
import { Gateway, holdline } from '../support/gateway.mjs';
import { EventStream } from '../support/http.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const NAME = 'holdline_session';

const cookieOf = (answer, name = NAME) => {
  const found = [answer.headers['set-cookie']].flat().find((line) => line?.startsWith(`${name}=`));
  return found && { header: found.split(';')[0], attributes: found };
};

// Browsers say where a request comes from; so does this one.
const own = (headers = {}) => ({ 'sec-fetch-site': 'same-origin', ...headers });

async function signIn(key, on = gateway) {
  const answer = await on.request('/v1/session', { method: 'POST', headers: own(), body: { key } });
  assert.equal(answer.status, 200, answer.text);
  return cookieOf(answer);
}

wireTest('a key becomes a cookie that scripts cannot read, and the cookie an agent', async () => {
  const key = await gateway.key('ann');
  const answer = await gateway.request('/v1/session', { method: 'POST', headers: own(), body: { key } });
  assert.equal(answer.status, 200);
  assert.equal(answer.json.name, 'ann');
  assert.ok(!answer.text.includes(key));
  const { header, attributes } = cookieOf(answer);
  assert.match(attributes, /; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  const me = await gateway.request('/v1/session', { headers: { cookie: header } });
  assert.equal(me.status, 200);
  assert.deepEqual(me.json, answer.json);
  const list = await gateway.request('/v1/conversations', { headers: own({ cookie: `a=b; ${header}` }) });
  assert.equal(list.status, 200);
});

wireTest('without a cookie, or with one that is none, nobody is there', async () => {
  for (const cookie of [undefined, 'a=b', `${NAME}=`, `${NAME}=v4.local.AAAA`, `${NAME}=hlk_x`]) {
    const answer = await gateway.request('/v1/session', { headers: cookie ? { cookie } : {} });
    assert.equal(answer.status, 401, cookie);
    assert.equal(answer.json.code, 'unauthorized');
    assert.equal(answer.json.oidc, undefined);
  }
  const visitor = await gateway.request('/v1/poll', { body: { rid: 1, frames: [{ t: 'hello', v: 1 }] } });
  const { token } = visitor.json.frames[0];
  const stolen = await gateway.request('/v1/session', { headers: { cookie: `${NAME}=${token}` } });
  assert.equal(stolen.status, 401, "a visitor's token opens no console");
});

wireTest('a cookie planted beside the right one makes both worthless', async () => {
  const { header } = await signIn(await gateway.key('eve'));
  const answer = await gateway.request('/v1/session', { headers: { cookie: `${header}; ${NAME}=other` } });
  assert.equal(answer.status, 401);
});

wireTest("other pages' requests are refused although the browser sends the cookie along", async (t) => {
  const { header } = await signIn(await gateway.key('bob'));
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const path = `/v1/conversations/${visitor.c}/assignee`;
  const host = new URL(gateway.url).host;
  const claim = (headers) => gateway.request(path, {
    method: 'PUT', headers: { cookie: header, 'if-none-match': '*', ...headers }, body: {},
  });
  const foreign = [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://${host}.evil.example`, 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of foreign) {
    const answer = await claim(headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.equal(answer.json.code, 'origin_forbidden');
  }
  const read = await gateway.request('/v1/conversations', { headers: { cookie: header, 'sec-fetch-site': 'cross-site' } });
  assert.equal(read.status, 403);
  assert.equal((await claim({ origin: `http://${host}` })).status, 200);
  const release = await gateway.request(path, { method: 'DELETE', headers: own({ cookie: header }) });
  assert.ok([200, 204].includes(release.status), release.text);
});

wireTest('an Authorization header alone decides where there is one', async () => {
  const { header } = await signIn(await gateway.key('tim'));
  const answer = await gateway.request('/v1/session', { headers: { cookie: header, authorization: 'Bearer hlk_no' } });
  assert.equal(answer.status, 401);
});

wireTest('signing out ends the cookie, also for who has copied it', async () => {
  const { header } = await signIn(await gateway.key('zoe'));
  const foreign = await gateway.request('/v1/session', { method: 'DELETE', headers: { cookie: header, 'sec-fetch-site': 'cross-site' } });
  assert.equal(foreign.status, 403);
  const out = await gateway.request('/v1/session', { method: 'DELETE', headers: own({ cookie: header }) });
  assert.equal(out.status, 204);
  assert.match(cookieOf(out).attributes, /^holdline_session=; .*Max-Age=0/);
  assert.equal((await gateway.request('/v1/session', { headers: { cookie: header } })).status, 401);
  const again = await gateway.request('/v1/session', { method: 'DELETE', headers: own() });
  assert.equal(again.status, 204);
});

wireTest('a revoked key ends what was signed in with it, and its feed', async () => {
  const { header } = await signIn(await gateway.key('kim'));
  const me = await gateway.request('/v1/session', { headers: { cookie: header } });
  const feed = new EventStream(`${gateway.url}/v1/events`, { headers: { cookie: header } });
  assert.equal((await feed.opened).status, 200);
  const ended = new Promise((resolve) => feed.response.on('close', resolve));
  const { code, stderr } = await holdline(['key', 'revoke', '--data', gateway.data, me.json.id]);
  assert.equal(code, 0, stderr);
  await ended;
  assert.equal((await gateway.request('/v1/session', { headers: { cookie: header } })).status, 401);
});

wireTest('a restart ends nothing', async () => {
  const own = await Gateway.start();
  try {
    const { header } = await signIn(await own.key('ann'), own);
    await own.restart();
    assert.equal((await own.request('/v1/session', { headers: { cookie: header } })).status, 200);
  } finally {
    await own.remove();
  }
});

wireTest('who fails again and again waits, who is right does not', async () => {
  const patient = await Gateway.start();
  try {
    const key = await patient.key('ann');
    const wrong = () => patient.request('/v1/session', { method: 'POST', headers: own(), body: { key: 'hlk_wrong' } });
    for (let i = 0; i < 9; i += 1) assert.equal((await wrong()).status, 401);
    await signIn(key, patient);
    assert.equal((await wrong()).status, 401);
    const answer = await wrong();
    assert.equal(answer.status, 429);
    assert.equal(answer.json.code, 'too_fast');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  } finally {
    await patient.remove();
  }
});

wireTest('bodies that are no key', async () => {
  const post = (body, headers = {}) => gateway.request('/v1/session', { method: 'POST', headers: own(headers), body });
  assert.equal((await post({})).status, 422);
  assert.equal((await post({ key: 7 })).status, 422);
  assert.equal((await post('{')).status, 400);
  assert.equal((await post('key=hlk', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
  const foreign = await gateway.request('/v1/session', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' }, body: { key: 'x' } });
  assert.equal(foreign.status, 403);
});

wireTest('behind https the cookie is bound to the host', async () => {
  const secure = await Gateway.start({ env: { HOLDLINE_PUBLIC_URL: 'https://chat.example' } });
  try {
    const key = await secure.key('ann');
    const answer = await secure.request('/v1/session', { method: 'POST', headers: { origin: 'https://chat.example', host: 'chat.example' }, body: { key } });
    assert.equal(answer.status, 200, answer.text);
    const { header, attributes } = cookieOf(answer, '__Host-holdline_session');
    assert.match(attributes, /; Secure$/);
    const plain = header.replace('__Host-', '');
    assert.equal((await secure.request('/v1/session', { headers: { cookie: header } })).status, 200);
    assert.equal((await secure.request('/v1/session', { headers: { cookie: plain } })).status, 401);
  } finally {
    await secure.remove();
  }
});
