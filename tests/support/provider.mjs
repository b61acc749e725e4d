// Identity providers for tests: a real one (npm oidc-provider), and one that lies on demand.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const CLIENT = 'holdline';
const listen = (server) => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
});

// accounts: {subject: {email, email_verified, name}}. Whoever signs in is `provider.account`.
export class RealProvider {
  constructor(accounts) {
    this.accounts = accounts;
    this.account = Object.keys(accounts)[0];
    this.refuses = false;
  }

  async start({ redirect, secret, keys }) {
    this.server = createServer((request, response) => this.#handle(request, response));
    this.url = await listen(this.server);
    const { accounts } = this;
    this.provider = new Provider(this.url, {
      clients: [{ client_id: CLIENT, client_secret: secret, redirect_uris: [redirect], response_types: ['code'], grant_types: ['authorization_code'] }],
      jwks: { keys },
      cookies: { keys: ['test'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: false, // the claims asked for stand in the ID token
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: CLIENT });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    this.callback = this.provider.callback();
    return this;
  }

  // The page where somebody would type a password.
  async #handle(request, response) {
    if (!request.url.startsWith('/interaction/')) {
      this.callback(request, response);
      return;
    }
    const result = this.refuses
      ? { error: 'access_denied', error_description: 'no' }
      : { login: { accountId: this.account } };
    await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

const base64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function makeKey(kid, kind = 'rsa') {
  const { privateKey, publicKey } = kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const alg = kind === 'rsa' ? 'RS256' : 'ES256';
  return { kid, alg, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

// Signs with the key, or by `alg` as an attacker would.
export function makeToken(claims, key, { alg = key.alg, kid = key.kid } = {}) {
  const head = `${base64({ alg, kid, typ: 'JWT' })}.${base64(claims)}`;
  if (alg === 'none') return `${head}.`;
  if (alg === 'HS256') {
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
    return `${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`;
  }
  const options = alg === 'ES256' ? { key: key.privateKey, dsaEncoding: 'ieee-p1363' } : key.privateKey;
  return `${head}.${sign('sha256', Buffer.from(head), options).toString('base64url')}`;
}

// Every answer is what the test says: `token(form)` gives {status, body}, `keys` what is published.
export class LyingProvider {
  constructor() {
    this.keys = [makeKey('first')];
    this.requests = [];
    this.document = {};
  }

  async start() {
    this.server = createServer((request, response) => this.#handle(request, response));
    this.url = await listen(this.server);
    return this;
  }

  get key() {
    return this.keys[0];
  }

  claims(nonce, more = {}) {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.url, aud: CLIENT, sub: 'subject-1', nonce, iat: now, exp: now + 300,
      email: 'ann@example.com', email_verified: true, ...more,
    };
  }

  #handle(request, response) {
    const path = request.url.split('?')[0];
    const chunks = [];
    this.requests.push(path);
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { status = 200, body, text } = this.#answer(path, Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(text ?? JSON.stringify(body));
    });
  }

  #answer(path, form) {
    if (path === '/.well-known/openid-configuration') {
      return {
        body: {
          issuer: this.url, authorization_endpoint: `${this.url}/auth`, token_endpoint: `${this.url}/token`,
          jwks_uri: `${this.url}/jwks`, ...this.document,
        },
      };
    }
    if (path === '/jwks') return { body: { keys: this.keys.map(({ jwk }) => jwk) } };
    if (path === '/token') return this.token(new URLSearchParams(form));
    return { status: 404, body: {} };
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
