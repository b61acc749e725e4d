// The contract under fire: requests made from openapi.yaml, good and bad, sent through Prism, which
// turns every answer that the file does not describe into an error of its own. Nothing may be
// answered 5xx but what says "later", and nothing may be lost. HOLDLINE_FUZZ_RUNS, HOLDLINE_FUZZ_SEED.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'yaml';
import { Gateway, holdline } from '../support/gateway.mjs';
import { request } from '../support/http.mjs';
import { checkApi } from '../support/openapi.mjs';
import { operationsOf, requests } from './requests.mjs';

const FILE = fileURLToPath(new URL('../../agent-api/openapi.yaml', import.meta.url));
const RUNS = Number(process.env.HOLDLINE_FUZZ_RUNS ?? 1500);
const SEED = Number(process.env.HOLDLINE_FUZZ_SEED ?? 20261123);
const VIOLATION = 'https://stoplight.io/prism/errors#VIOLATIONS';
const ROLES = ['admin', 'supervisor', 'agent', 'integration', 'auditor'];
const COLLECTIONS = ['sites', 'inboxes', 'agents', 'contacts', 'canned-replies'];
const LATER = new Set([503, 507]); // documented, retryable

const document = parse(readFileSync(FILE, 'utf8'));
let gateway;
let prism;
let proxy;
let known;
let secrets;

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Prism answers requests without credentials itself, so it is not told of them: the gateway shall.
function withoutSecurity(contract) {
  const copy = structuredClone(contract);
  delete copy.security;
  for (const item of Object.values(copy.paths)) {
    for (const operation of Object.values(item)) delete operation.security;
  }
  return copy;
}

// contract: what Prism holds the gateway to.
async function startPrism(contract, url) {
  const file = join(gateway.folder, `contract-${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(withoutSecurity(contract)));
  const cli = createRequire(import.meta.url).resolve('@stoplight/prism-cli/dist/index.js');
  const port = await freePort();
  const child = spawn(process.execPath, [cli, 'proxy', file, url, '--errors', '--validate-request', 'false',
    '--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('Prism did not start')));
    lines.on('line', (line) => line.includes('is listening') && resolve());
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

async function enquire(n) {
  const answer = await request(`${gateway.url}/v1/enquiries`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ contact: { name: `Jo ${n}`, email: `jo${n}@example.com` }, message: { text: `Question ${n}` } }),
  });
  assert.equal(answer.status, 201);
  return answer.json;
}

// What is there of each collection, but for the admin, who has to stay.
async function idsOf(collections) {
  const found = {};
  for (const name of collections) {
    const answer = await request(`${gateway.url}/v1/${name}`, { headers: { authorization: `Bearer ${secrets[0]}` } });
    found[name] = answer.json.data.filter((one) => one.role !== 'admin').map((one) => one.id);
  }
  return found;
}

before(async () => {
  gateway = await Gateway.start({ config: 'requests_per_address_per_s = 0;\n' });
  secrets = [];
  for (const role of ROLES) secrets.push(await gateway.key(role, ['--role', role]));
  secrets.push(undefined, `hlk_${'A'.repeat(43)}`);
  await request(`${gateway.url}/v1/canned-replies`, {
    headers: { authorization: `Bearer ${secrets[0]}` }, body: { site: 'default', shortcut: 'hi', text: 'Hello {name}' } });
  const made = await Promise.all(Array.from({ length: 12 }, (_, n) => enquire(n)));
  known = {
    ids: { conversations: made.map((one) => one.conversation), ...(await idsOf(COLLECTIONS)) },
    reference: made.map((one) => one.reference),
    site: ['default'], 'If-Match': ['*', '"r1"', '"r2"'], 'If-None-Match': ['*'], cursor: ['start'],
    'Idempotency-Key': [randomUUID(), 'k1', 'k2'],
  };
  prism = await startPrism(document, gateway.url);
  proxy = prism.url;
});

after(async () => {
  prism?.child.kill();
  await gateway?.remove();
});

// Prism refuses what it cannot read itself: that goes straight to the gateway.
function isReadable({ body, headers, path }) {
  try {
    decodeURIComponent(path);
    if (body !== undefined && headers['content-type'] === 'application/json') JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

async function send(sent) {
  if (isReadable(sent)) return request(proxy + sent.path, sent);
  const answer = await request(gateway.url + sent.path, sent);
  checkApi(sent.method, sent.path, answer);
  return answer;
}

function check(sent, answer) {
  const what = `${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${sent.body ?? ''}\n→ ${answer.status} ${answer.text?.slice(0, 600)}`;
  assert.notEqual(answer.json?.type, VIOLATION, `not as openapi.yaml says: ${what}`);
  if (answer.status >= 500) assert.ok(LATER.has(answer.status), `server error: ${what}`);
  if (answer.status < 400 || !(answer.headers['content-type'] ?? '').includes('json')) return;
  for (const member of ['code', 'request_id', 'retryable', 'detail']) {
    assert.ok(member in answer.json, `no ${member}: ${what}`);
  }
}

test(`${RUNS} requests from the contract, seed ${SEED}`, { timeout: 900_000 }, async () => {
  const seen = new Map();
  await fc.assert(fc.asyncProperty(requests(document, known, secrets), async (sent) => {
    const answer = await send(sent);
    check(sent, answer);
    const key = `${sent.operation} ${Math.floor(answer.status / 100)}xx`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }), { numRuns: RUNS, seed: SEED, endOnFailure: true });
  for (const [key, n] of [...seen].sort()) console.log(`# ${String(n).padStart(6)} ${key}`);
  const operations = new Set([...seen.keys()].map((key) => key.split(' ')[0]));
  const missed = operationsOf(document).map((o) => o.operationId).filter((id) => !operations.has(id));
  if (RUNS >= 1000) assert.deepEqual(missed, [], 'every operation was asked');
});

test('nothing broke: it is live, and what it stored verifies', { timeout: 120_000 }, async () => {
  assert.equal((await request(`${gateway.url}/livez`)).status, 200);
  assert.equal(await gateway.stop(), 0);
  const { code, stdout, stderr } = await holdline(['verify', '--data', gateway.data]);
  assert.equal(code, 0, stdout + stderr);
});

test('an answer that the contract does not describe is found', { timeout: 60_000 }, async () => {
  await gateway.start();
  const lie = structuredClone(document);
  lie.paths['/v1/agent'].get.responses['200'].content['application/json'].schema = {
    type: 'object', required: ['shoe_size'], properties: { shoe_size: { type: 'integer' } },
  };
  const other = await startPrism(lie, gateway.url);
  try {
    const sent = { method: 'GET', path: '/v1/agent', headers: { authorization: `Bearer ${secrets[0]}` } };
    const answer = await request(other.url + sent.path, sent);
    assert.throws(() => check(sent, answer), /not as openapi.yaml says/);
  } finally {
    other.child.kill();
  }
});
