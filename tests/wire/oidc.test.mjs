// Signing in at an identity provider: a real one, one that lies, and none.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Gateway } from '../support/gateway.mjs';
import { request } from '../support/http.mjs';
import { LyingProvider, makeKey, makeToken, RealProvider } from '../support/provider.mjs';
import { wireTest } from '../support/suite.mjs';

const SECRET = 'a secret/with+odd&characters';
const START = '/v1/session/oidc';

// A browser as far as it matters: cookies per host, and redirects one by one.
class Browser {
  constructor() {
    this.jars = new Map();
  }

  cookies(url) {
    const { host } = new URL(url);
    if (!this.jars.has(host)) this.jars.set(host, new Map());
    return this.jars.get(host);
  }

  async get(url) {
    const jar = this.cookies(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await request(url, { headers: { accept: 'text/html', ...(cookie ? { cookie } : {}) } });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value && !/Max-Age=0|1970/i.test(line)) jar.set(name, value);
      else jar.delete(name);
    }
    return { ...answer, url };
  }

  // Follows redirects until they end, or lead to where `stop` says.
  async follow(url, stop = () => false) {
    let answer = await this.get(url);
    while (answer.headers.location && answer.status < 400) {
      const next = new URL(answer.headers.location, answer.url).href;
      if (stop(next)) return { ...answer, next };
      answer = await this.get(next);
    }
    return answer;
  }
}

// Its own address must be known before it starts: it names it to the provider.
async function startGateway(issuer, env = {}) {
  const gateway = new Gateway();
  await gateway.start();
  const { url } = gateway;
  await gateway.stop();
  const secretFile = join(gateway.folder, 'oidc-secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  gateway.env = {
    HOLDLINE_PUBLIC_URL: url, HOLDLINE_OIDC_ISSUER: await issuer(`${url}/v1/session/oidc/callback`),
    HOLDLINE_OIDC_CLIENT_ID: 'holdline', HOLDLINE_OIDC_CLIENT_SECRET_FILE: secretFile, ...env,
  };
  await gateway.start();
  await gateway.key('Ann', ['--email', 'ann@example.com']);
  return gateway;
}

const whoIs = async (gateway, browser) => {
  const cookie = `holdline_session=${browser.cookies(gateway.url).get('holdline_session') ?? ''}`;
  const answer = await gateway.request('/v1/session', { headers: { cookie } });
  return answer.status === 200 ? answer.json.name : answer.status;
};
const isOurs = (gateway) => (url) => url.startsWith(`${gateway.url}/`) && !url.includes('/v1/session/oidc');

// -- a real provider --

const real = new RealProvider({
  ann: { email: 'ann@example.com', email_verified: true, name: 'Ann' },
  stranger: { email: 'stranger@example.com', email_verified: true, name: 'A Stranger' },
  unproved: { email: 'ann@example.com', email_verified: false },
});
const realKeys = [makeKey('rsa-1')];
let house;

before(async () => {
  house = await startGateway(async (redirect) => {
    const keys = realKeys.map(({ privateKey, kid, alg }) => ({ ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }));
    return (await real.start({ redirect, secret: SECRET, keys })).url;
  });
});
after(async () => {
  await house?.remove();
  await real.stop();
});

wireTest('who is not signed in is told that there is a provider', async () => {
  const answer = await house.request('/v1/session');
  assert.equal(answer.status, 401);
  assert.equal(answer.json.oidc, true);
});

wireTest('an agent signs in, and comes back to where she was', async () => {
  real.account = 'ann';
  const browser = new Browser();
  const end = await browser.follow(`${house.url}${START}?return=${encodeURIComponent('/console/#/queue')}`, isOurs(house));
  assert.equal(end.next, `${house.url}/console/#/queue`, end.text);
  assert.equal(await whoIs(house, browser), 'Ann');
  assert.equal(browser.cookies(house.url).has('holdline_signin'), false, 'the ticket is gone');
  const again = await new Browser().follow(`${house.url}${START}`, isOurs(house));
  assert.equal(again.next, `${house.url}/console/`);
  assert.doesNotMatch(house.log, /secret|eyJ|[?&]code=/);
});

wireTest('a sign-in stands in the audit log, once', async () => {
  real.account = 'ann';
  const browser = new Browser();
  await browser.follow(`${house.url}${START}`, isOurs(house));
  const headers = { cookie: `holdline_session=${browser.cookies(house.url).get('holdline_session')}` };
  const { json: ann } = await house.request('/v1/session', { headers });
  const authorization = `Bearer ${await house.key('auditor', ['--role', 'auditor'])}`;
  const { json } = await house.request(`/v1/audit?actor=${ann.id}&action=sign_in.completed&limit=200`, { headers: { authorization } });
  const signIns = json.data.map(({ details, request_id: request }) => `${details.method} ${request}`);
  assert.ok(signIns.length > 0 && signIns.every((text) => text.startsWith('oidc')), String(signIns));
  assert.equal(new Set(signIns).size, signIns.length, String(signIns));
});

wireTest('pages of others cannot use up the attempts of an address', async () => {
  for (let i = 0; i < 15; i += 1) assert.equal((await house.request(`${START}/callback?code=c&state=x`)).status, 400);
  assert.equal((await house.request(START)).status, 302);
});

wireTest('whom the directory does not know is turned away, in words', async () => {
  real.account = 'stranger';
  const browser = new Browser();
  const end = await browser.follow(`${house.url}${START}`, isOurs(house));
  assert.equal(end.status, 403);
  assert.match(end.headers['content-type'], /^text\/html/);
  assert.match(end.text, /You are not an agent here/);
  assert.match(end.text, new RegExp(end.headers['request-id']));
  assert.match(end.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(await whoIs(house, browser), 401);
});

wireTest('an address that the provider does not vouch for is no proof', async () => {
  real.account = 'unproved';
  const end = await new Browser().follow(`${house.url}${START}`, isOurs(house));
  assert.equal(end.status, 403);
  assert.match(end.text, /not confirmed/);
});

wireTest('a refusal at the provider ends on a page of ours', async () => {
  real.refuses = true;
  try {
    const end = await new Browser().follow(`${house.url}${START}`, isOurs(house));
    assert.equal(end.status, 403);
    assert.match(end.text, /not completed/);
  } finally {
    real.refuses = false;
  }
});

wireTest('the request to the provider holds all that it must', async () => {
  const { headers } = await new Browser().get(`${house.url}${START}`);
  const url = new URL(headers.location);
  assert.equal(url.origin, real.url);
  const parameters = Object.fromEntries(url.searchParams);
  assert.equal(parameters.response_type, 'code');
  assert.equal(parameters.client_id, 'holdline');
  assert.equal(parameters.redirect_uri, `${house.url}/v1/session/oidc/callback`);
  assert.equal(parameters.scope, 'openid email profile');
  assert.equal(parameters.code_challenge_method, 'S256');
  assert.match(parameters.code_challenge, /^[\w-]{43}$/);
  assert.ok(parameters.nonce.length >= 32 && parameters.state.length >= 32);
  assert.match([headers['set-cookie']].flat()[0], /^holdline_signin=v4\.local\..*HttpOnly; SameSite=Lax/);
});

wireTest('it leads nobody to other sites', async () => {
  for (const target of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/a\r\nset-cookie: x=y', '']) {
    const answer = await house.request(`${START}?return=${encodeURIComponent(target)}`);
    assert.equal(answer.status, 422, target);
    assert.equal(answer.headers.location, undefined);
  }
});

// -- one that lies --

async function withLiar(run, env) {
  const liar = await new LyingProvider().start();
  const gateway = await startGateway(async () => liar.url, env);
  try {
    await run(liar, gateway);
  } finally {
    await gateway.remove();
    await liar.stop();
  }
}

// Signs in as far as the provider, which then answers with what `make(nonce, challenge)` gives.
async function signIn(gateway, liar, make, query = (state) => ({ code: 'c-1', state })) {
  const browser = new Browser();
  const away = await browser.get(`${gateway.url}${START}`);
  assert.equal(away.status, 302, away.text);
  const asked = new URL(away.headers.location).searchParams;
  liar.token = (form) => {
    const challenge = createHash('sha256').update(form.get('code_verifier')).digest('base64url');
    assert.equal(challenge, asked.get('code_challenge'), 'the verifier fits');
    const made = make(asked.get('nonce'));
    return typeof made === 'string' ? { body: { access_token: 'a', token_type: 'Bearer', id_token: made } } : made;
  };
  const callback = `${gateway.url}${START}/callback?${new URLSearchParams(query(asked.get('state')))}`;
  return { browser, callback, answer: await browser.get(callback) };
}

wireTest('tokens that are not what they must be', async () => {
  await withLiar(async (liar, gateway) => {
    const stranger = makeKey('first');
    const hour = 3600;
    const now = Math.floor(Date.now() / 1000);
    const lies = {
      'the nonce of another sign-in': () => makeToken(liar.claims('other'), liar.key),
      'no nonce': () => makeToken(liar.claims(undefined), liar.key),
      'another audience': (nonce) => makeToken(liar.claims(nonce, { aud: 'other' }), liar.key),
      'several audiences, for another party': (nonce) => makeToken(liar.claims(nonce, { aud: ['holdline', 'x'], azp: 'x' }), liar.key),
      'another issuer': (nonce) => makeToken(liar.claims(nonce, { iss: 'https://evil.example' }), liar.key),
      'it has expired': (nonce) => makeToken(liar.claims(nonce, { exp: now - hour, iat: now - 2 * hour }), liar.key),
      'an old one': (nonce) => makeToken(liar.claims(nonce, { iat: now - hour }), liar.key),
      'not valid yet': (nonce) => makeToken(liar.claims(nonce, { nbf: now + hour }), liar.key),
      'no algorithm': (nonce) => makeToken(liar.claims(nonce), liar.key, { alg: 'none' }),
      'the public key as a shared secret': (nonce) => makeToken(liar.claims(nonce), liar.key, { alg: 'HS256' }),
      "a stranger's key under the right name": (nonce) => makeToken(liar.claims(nonce), stranger),
    };
    for (const [what, make] of Object.entries(lies)) {
      gateway.log = '';
      await gateway.restart(); // failures are counted per address
      const { browser, answer } = await signIn(gateway, liar, make);
      assert.equal(answer.status, 403, what);
      assert.match(answer.text, /not completed/, what);
      assert.equal(await whoIs(gateway, browser), 401, what);
      assert.match(gateway.log, /signin\.refused.*ID token/, what);
    }
    await gateway.restart();
    const { browser, answer } = await signIn(gateway, liar, (nonce) => makeToken(liar.claims(nonce), liar.key));
    assert.equal(answer.status, 302, answer.text);
    assert.equal(await whoIs(gateway, browser), 'Ann', 'and a good one is taken');
  });
});

wireTest('a key that is new is asked for, once a minute', async () => {
  await withLiar(async (liar, gateway) => {
    const asked = () => liar.requests.filter((path) => path === '/jwks').length;
    const status = async (key) => (await signIn(gateway, liar, (nonce) => makeToken(liar.claims(nonce), key))).answer.status;
    assert.equal(await status(liar.key), 302);
    assert.equal(await status(liar.key), 302);
    assert.equal(asked(), 1);
    const next = makeKey('second', 'ec');
    liar.keys = [next];
    assert.equal(await status(next), 302, 'the provider changed its key, and its algorithm');
    assert.equal(asked(), 2);
    const unknown = makeKey('never-published', 'ec');
    for (let i = 0; i < 3; i += 1) assert.equal(await status(unknown), 403);
    assert.equal(asked(), 2, 'strangers do not make it ask again and again');
    assert.equal(await status(next), 302);
  });
});

wireTest('an answer is good once, in the browser that asked', async () => {
  await withLiar(async (liar, gateway) => {
    const make = (nonce) => makeToken(liar.claims(nonce), liar.key);
    const over = async (answer) => {
      assert.equal(answer.status, 400);
      assert.match(answer.text, /This sign-in is over/);
    };
    const first = new Browser();
    const away = await first.get(`${gateway.url}${START}`);
    const ticket = first.cookies(gateway.url).get('holdline_signin');
    const state = new URL(away.headers.location).searchParams.get('state');
    const callback = `${gateway.url}${START}/callback?code=c&state=${state}`;
    await over(await new Browser().get(callback)); // somebody else's browser, sent here
    const other = new Browser();
    await other.get(`${gateway.url}${START}`);
    await over(await other.get(callback)); // with a ticket of its own
    const { browser, callback: used, answer } = await signIn(gateway, liar, make);
    assert.equal(answer.status, 302);
    await over(await browser.get(used)); // again
    first.cookies(gateway.url).set('holdline_signin', ticket);
    liar.token = () => ({ status: 400, body: { error: 'invalid_grant' } });
    assert.equal((await first.get(callback)).status, 403);
    first.cookies(gateway.url).set('holdline_signin', ticket);
    await over(await first.get(callback)); // a copied ticket does not help
  });
});

wireTest('answers of the provider that are none', async () => {
  await withLiar(async (liar, gateway) => {
    const make = (nonce) => makeToken(liar.claims(nonce), liar.key);
    const cases = [
      [make, (state) => ({ state, error: 'access_denied' }), 403],
      [make, (state) => ({ state }), 403],
      [make, (state) => ({ state, code: 'c', iss: 'https://evil.example' }), 403],
      [() => ({ status: 400, body: { error: 'invalid_grant' } }), undefined, 403],
      [() => ({ body: { access_token: 'a' } }), undefined, 403],
      [() => ({ text: 'nonsense' }), undefined, 503],
      [() => ({ status: 500, body: {} }), undefined, 503],
      [() => ({ text: `"${'x'.repeat(2 * 1024 * 1024)}"` }), undefined, 503],
    ];
    for (const [token, query, status] of cases) {
      const { answer } = await signIn(gateway, liar, token, query);
      assert.equal(answer.status, status, `${token} ${answer.text}`);
      assert.match(answer.headers['content-type'], /^text\/html/);
    }
    const named = await signIn(gateway, liar, make, (state) => ({ state, code: 'c', iss: liar.url }));
    assert.equal(named.answer.status, 302);
  });
});

wireTest('a provider that is down, or is another one, is said to be', async () => {
  await withLiar(async (liar, gateway) => {
    liar.document = { issuer: 'https://evil.example' };
    const other = await new Browser().get(`${gateway.url}${START}`);
    assert.equal(other.status, 503);
    assert.match(gateway.log, /another issuer/);
  });
  await withLiar(async (liar, gateway) => {
    await liar.stop();
    liar.stop = () => {};
    const down = await new Browser().get(`${gateway.url}${START}`);
    assert.equal(down.status, 503);
    assert.match(down.text, /cannot be reached/);
    assert.ok(Number(down.headers['retry-after']) > 0);
    assert.equal((await gateway.request('/livez')).status, 200);
  });
  await withLiar(async (liar, gateway) => {
    liar.document = { token_endpoint: 'http://evil.example/token' };
    assert.equal((await new Browser().get(`${gateway.url}${START}`)).status, 503, 'only https');
  });
});

wireTest('agents are linked to their subject, and made when the operator wants it', async () => {
  await withLiar(async (liar, gateway) => {
    const as = async (more) => {
      const { browser, answer } = await signIn(gateway, liar, (nonce) => makeToken(liar.claims(nonce, more), liar.key));
      return answer.status === 302 ? whoIs(gateway, browser) : answer.text;
    };
    assert.equal(await as({}), 'Ann');
    assert.equal(await as({ email: 'ann.new@example.com' }), 'Ann', 'the subject counts');
    assert.match(await as({ sub: 'subject-2' }), /belongs to another account/);
    assert.equal(await as({ sub: 'subject-3', email: 'Eve@Example.com', name: 'Eve E.' }), 'Eve E.');
    assert.equal(await as({ sub: 'subject-3', email: 'eve@example.com', name: 'Eve E.' }), 'Eve E.');
  }, { HOLDLINE_OIDC_AUTO_ROLE: 'agent' });
});

wireTest('without a provider there is nothing to see', async () => {
  const plain = await Gateway.start();
  try {
    const answer = await plain.request(START);
    assert.equal(answer.status, 404);
  } finally {
    await plain.remove();
  }
});
