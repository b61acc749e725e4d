// Sites, inboxes, agents, keys and canned replies over the wire; every answer fits openapi.yaml.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Gateway, holdline } from '../support/gateway.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
let admin = null;

async function call(method, path, body, { key, headers = {} } = {}) {
  admin ??= gateway.key('root', ['--role', 'admin']);
  const authorization = `Bearer ${key ?? (await admin)}`;
  return gateway.request(path, { method, body, headers: { authorization, ...headers } });
}

wireTest('an inbox with its hours, its goals and its widget', async () => {
  const body = {
    name: 'Sales',
    sla: { first_response_minutes: 15 },
    business_hours: {
      time_zone: 'Europe/Berlin',
      week: [{ day: 'mon', open: '09:00', close: '17:00' }, { day: 'tue', open: '09:00', close: '24:00' }],
      holidays: ['2026-12-25'],
    },
    widget: { title: 'Sales', accent: '#1a73e8', form: { email: 'required' }, consent: { text: 'OK?' } },
  };
  const made = await call('POST', '/v1/inboxes', body);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.location, `/v1/inboxes/${made.json.id}`);
  assert.equal(made.json.site, 'default');
  assert.deepEqual(made.json.widget.form, { name: 'optional', email: 'required', phone: 'off' });
  assert.equal(made.json.widget.consent.required, true);
  assert.equal(made.json.sla.response_minutes, null);
  const again = await call('POST', '/v1/inboxes', body);
  assert.deepEqual([again.status, again.json.code], [409, 'taken']);
  const path = made.headers.location;
  const closed = await call('PATCH', path, { business_hours: null }, { headers: { 'if-match': made.headers.etag } });
  assert.deepEqual([closed.status, closed.json.business_hours], [200, null]);
  const stale = await call('PATCH', path, { name: 'X' }, { headers: { 'if-match': made.headers.etag } });
  assert.deepEqual([stale.status, stale.headers.etag], [412, closed.headers.etag]);
  const unknown = await call('PATCH', path, { widget: { logo: 'x' } }, { headers: { 'if-match': '*' } });
  assert.deepEqual([unknown.status, unknown.json.errors[0].pointer], [422, '/widget/logo']);
  assert.equal((await call('DELETE', path)).status, 428);
  assert.equal((await call('DELETE', path, undefined, { headers: { 'if-match': '*' } })).status, 204);
  assert.equal((await call('GET', path)).status, 404);
});

wireTest('lists go on by cursor', async () => {
  const made = [];
  for (let i = 0; i < 5; i += 1) {
    made.push((await call('POST', '/v1/canned-replies', { shortcut: `s${i}`, text: 'Hello {name}' })).json.id);
  }
  const seen = [];
  for (let cursor = ''; cursor !== null; ) {
    const page = await call('GET', `/v1/canned-replies?limit=2${cursor && `&cursor=${cursor}`}`);
    assert.ok(page.json.data.length <= 2);
    seen.push(...page.json.data.map((reply) => reply.id));
    cursor = page.json.next_cursor;
  }
  assert.deepEqual(seen, made);
});

wireTest('a key is made, used, shown once and revoked', async (t) => {
  const agent = await call('POST', '/v1/agents', { name: 'Jo', role: 'agent', email: 'Jo@Example.com' });
  assert.deepEqual([agent.status, agent.json.email, agent.json.online], [201, 'jo@example.com', false]);
  const idempotency = { headers: { 'idempotency-key': randomUUID() } };
  const body = { agent: agent.json.id, name: 'laptop' };
  const made = await call('POST', '/v1/keys', body, idempotency);
  const repeated = await call('POST', '/v1/keys', body, idempotency);
  assert.deepEqual([repeated.status, repeated.text], [201, made.text]);
  assert.equal(repeated.headers['idempotent-replayed'], 'true');
  const other = await call('POST', '/v1/keys', { ...body, name: 'other' }, idempotency);
  assert.deepEqual([other.status, other.json.code], [422, 'idempotency_mismatch']);
  const key = made.json.secret;
  const me = await call('GET', '/v1/agent', undefined, { key });
  assert.deepEqual([me.json.id, me.json.site, me.json.sites], [agent.json.id, null, ['default']]);
  const listed = await call('GET', '/v1/keys');
  assert.ok(!listed.text.includes(key));
  assert.ok(listed.json.data.find(({ id }) => id === made.json.id).last_used_at !== null);
  const away = await call('PUT', '/v1/agent/availability', { availability: 'away' }, { key });
  assert.deepEqual([away.status, away.json.availability], [200, 'away']);
  assert.equal((await call('DELETE', `/v1/keys/${made.json.id}`)).status, 204);
  assert.equal((await call('GET', '/v1/agent', undefined, { key })).status, 401);
  const gone = await call('DELETE', `/v1/agents/${agent.json.id}`, undefined, { headers: { 'if-match': '*' } });
  assert.equal(gone.status, 204);
  assert.equal((await call('GET', `/v1/agents/${agent.json.id}`)).json.active, false);
  t.diagnostic('the secret is in no list');
});

wireTest('a site with a secret of its own', async () => {
  const site = await call('POST', '/v1/sites', { id: 'b.example', name: 'B', origins: ['https://b.example'] });
  assert.equal(site.status, 201, site.text);
  const rotated = await call('POST', '/v1/sites/b.example/identity-secret');
  assert.match(rotated.json.identity_secret, /^[0-9a-f]{64}$/);
  const shown = await call('GET', '/v1/sites/b.example');
  assert.equal(shown.json.has_identity_secret, true);
  assert.ok(!shown.text.includes(rotated.json.identity_secret));
  const bound = await gateway.key('bea', ['--role', 'admin', '--site', 'b.example', '--email', 'bea@b.example']);
  assert.equal((await call('GET', '/v1/sites/default', undefined, { key: bound })).status, 404);
  const me = await call('GET', '/v1/agent', undefined, { key: bound });
  assert.deepEqual([me.json.site, me.json.email], ['b.example', 'bea@b.example']);
  const busy = await call('DELETE', '/v1/sites/b.example', undefined, { headers: { 'if-match': '*' } });
  assert.deepEqual([busy.status, busy.json.code], [409, 'in_use']);
  const kept = await call('DELETE', '/v1/sites/default', undefined, { headers: { 'if-match': '*' } });
  assert.equal(kept.status, 409);
  assert.equal((await holdline(['key', 'add', '--data', gateway.data, '--name', 'x', '--site', 'none'])).code, 1);
});

wireTest('the file is private', () => {
  for (const name of ['directory.db', 'directory.db-wal', 'audit.db']) {
    assert.equal(statSync(join(gateway.data, name)).mode & 0o777, 0o600, name);
  }
});

wireTest('what was answered is there after kill -9', async () => {
  const made = new Set();
  for (let round = 0; round < 4; round += 1) {
    const writes = Array.from({ length: 20 }, async (_, i) => {
      const shortcut = `kill-${round}-${i}`;
      try {
        const answer = await call('POST', '/v1/canned-replies', { shortcut, text: 'x' });
        if (answer.status === 201) made.add(answer.json.id);
      } catch {
        // cut off: it may be there or not
      }
    });
    await writes[0];
    await gateway.kill();
    await Promise.all(writes);
    await gateway.start();
  }
  const found = new Set();
  for (let cursor = ''; cursor !== null; ) {
    const page = await call('GET', `/v1/canned-replies?limit=200${cursor && `&cursor=${cursor}`}`);
    for (const { id } of page.json.data) found.add(id);
    cursor = page.json.next_cursor;
  }
  assert.ok(made.size > 0);
  for (const id of made) assert.ok(found.has(id), id);
  const verified = await holdline(['verify', '--data', gateway.data, '--json']);
  assert.equal(JSON.parse(verified.stdout).audit.ok, true);
});

// As the holdline before this one left it.
const OLD_KEYS = `
import hashlib, os, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("""
CREATE TABLE key(id BLOB PRIMARY KEY CHECK(length(id)=16),
  hash BLOB NOT NULL UNIQUE CHECK(length(hash)=32), role INTEGER NOT NULL, name TEXT NOT NULL,
  created_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID, STRICT;
PRAGMA application_id=1751935793; PRAGMA user_version=1;""".replace(", STRICT", "" if sqlite3.sqlite_version_info < (3, 37) else ", STRICT"))
digest = hashlib.blake2b(sys.argv[2].encode(), digest_size=32).digest()
db.execute("INSERT INTO key VALUES(?, ?, 3, 'Root', 1, 0)", (bytes.fromhex(sys.argv[3]), digest))
db.commit()
`;

wireTest('keys of an older data folder are taken over, also when that is cut off', async (t) => {
  const old = new Gateway();
  t.after(() => old.remove());
  const key = `hlk_${'A'.repeat(43)}`;
  const id = '0190a1b2c3d47e5f8a9b0c1d2e3f4a5b';
  mkdirSync(old.data, { mode: 0o700 });
  const keys = join(old.data, 'keys.db');
  for (let round = 0; round < 2; round += 1) {
    // the second time as if the first had not come to the renaming
    execFileSync('python3', ['-c', OLD_KEYS, keys, key, id]);
    await old.start();
    const me = await old.request('/v1/agent', { headers: { authorization: `Bearer ${key}` } });
    assert.deepEqual([me.status, me.json.id, me.json.role], [200, `agt_${id}`, 'admin']);
    assert.ok(!existsSync(keys) && existsSync(`${keys}.taken-over`));
    const listed = JSON.parse((await holdline(['key', 'list', '--data', old.data, '--json'])).stdout);
    assert.deepEqual(listed.keys.map((entry) => entry.id), [`agt_${id}`]);
    await old.kill();
  }
});
