// The audit log: who did and read what; and that nobody changes it unseen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { holdline } from '../support/gateway.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway({ env: { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });
const keys = {};

async function call(method, path, { role = 'admin', body, headers = {} } = {}) {
  keys[role] ??= gateway.key(role, ['--role', role]);
  const authorization = `Bearer ${await keys[role]}`;
  return gateway.request(path, { method, body, headers: { authorization, ...headers } });
}

async function audit(query) {
  const page = await call('GET', `/v1/audit?${query}`, { role: 'auditor' });
  assert.equal(page.status, 200, page.text);
  return page.json.data;
}

wireTest('reads and writes are recorded, without what was written', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('my secret question');
  const path = `/v1/conversations/${visitor.c}`;
  await call('GET', path, { role: 'agent' });
  await call('GET', `${path}/messages`, { role: 'agent' });
  await call('GET', `${path}/messages`, { role: 'agent' });
  await call('GET', `${path}/messages`, { role: 'supervisor' });
  const put = await call('PUT', `${path}/messages/${randomUUID()}`, { role: 'agent', body: { text: 'the answer' } });
  assert.equal(put.status, 201);
  const reads = await audit(`conversation=${visitor.c}&site=default`);
  assert.deepEqual(
    reads.map(({ action, actor }) => [action, actor.name]).sort(),
    [
      ['conversation.message', 'agent'],
      ['conversation.messages_read', 'agent'],
      ['conversation.messages_read', 'supervisor'],
      ['conversation.read', 'agent'],
    ],
    'one entry for what one person reads in one way within a minute',
  );
  for (const { actor, request_id: request, address, ts } of reads) {
    assert.match(actor.id, /^agt_/);
    assert.match(request, /^req_/);
    assert.equal(address, '127.0.0.1');
    assert.ok(Math.abs(Date.parse(ts) - Date.now()) < 60_000);
  }
  const all = JSON.stringify(await audit('limit=200'));
  assert.ok(!all.includes('secret question') && !all.includes('the answer'));
});

wireTest('searches, changes, feeds and new addresses are recorded', async (t) => {
  await call('GET', '/v1/conversations?q=secret', { role: 'agent' });
  await call('GET', '/v1/conversations', { role: 'agent' });
  await call('GET', '/v1/conversations?status=open', { role: 'agent' });
  await call('GET', '/v1/events', { role: 'agent' });
  const visitor = await t.connect(gateway);
  await visitor.publish('a question');
  const read = () => call('GET', `/v1/conversations/${visitor.c}/transcript?format=text`, { role: 'agent' });
  assert.match((await read()).text, /a question/);
  assert.match((await read()).text, /a question/);
  assert.equal((await audit(`conversation=${visitor.c}`)).length, 1);
  await call('POST', '/v1/canned-replies', { body: { shortcut: 'a', text: 'b' } });
  const actions = new Set((await audit('limit=200')).map(({ action }) => action));
  for (const action of ['conversation.searched', 'feed.opened', 'canned_reply.created', 'key.used_from', 'conversation.transcript_read']) {
    assert.ok(actions.has(action), action);
  }
  const lists = (await audit('action=conversation.listed')).filter(({ actor }) => actor.name === 'agent');
  assert.equal(lists.length, 1, 'one entry for what one person lists within a minute');
  assert.ok(!JSON.stringify(await audit('action=conversation.searched')).includes('secret'));
});

wireTest('the audit log is for admins and auditors, and goes on by cursor', async () => {
  for (const role of ['agent', 'supervisor', 'integration']) {
    assert.equal((await call('GET', '/v1/audit', { role })).status, 403);
  }
  const seen = [];
  for (let cursor = ''; cursor !== null; ) {
    const page = await call('GET', `/v1/audit?limit=3${cursor && `&cursor=${cursor}`}`, { role: 'auditor' });
    seen.push(...page.json.data.map(({ position }) => position));
    cursor = page.json.next_cursor;
  }
  assert.deepEqual(seen, [...seen].sort((a, b) => b - a));
  assert.equal(new Set(seen).size, seen.length);
});

wireTest('what is asked for is found behind all that is not', async () => {
  await call('POST', '/v1/canned-replies', { role: 'supervisor', body: { shortcut: 'rare', text: 'b' } });
  const search = () => call('GET', '/v1/conversations?q=a', { role: 'agent' });
  for (let i = 0; i < 70; i += 1) await Promise.all(Array.from({ length: 16 }, search));
  const [found, ...others] = await audit('action=canned_reply.created&limit=1');
  assert.deepEqual([found.actor.name, others.length], ['supervisor', 0]);
  const actions = (await audit(`actor=${found.actor.id}&limit=200`)).map(({ action }) => action);
  assert.ok(actions.includes('canned_reply.created'), String(actions));
});

const TAMPER = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])

for name, in db.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
    db.execute("DROP TRIGGER " + name)
db.execute(sys.argv[2])
db.commit()
`;

async function tamper(name, sql) {
  const copy = join(gateway.folder, name);
  assert.equal((await holdline(['backup', '--data', gateway.data, '--to', copy])).code, 0);
  const before = await holdline(['verify', '--data', copy, '--json']);
  assert.equal(JSON.parse(before.stdout).audit.ok, true, before.stdout);
  execFileSync('python3', ['-c', TAMPER, join(copy, 'audit.db'), sql]);
  return holdline(['verify', '--data', copy, '--json']);
}

wireTest('a line that was changed or taken away is found', async () => {
  const cases = {
    changed: 'UPDATE entries SET author=zeroblob(16) WHERE position=2',
    dated: 'UPDATE entries SET wall_ms=wall_ms-1000 WHERE position=2',
    removed: 'DELETE FROM entries WHERE position=2',
    'cut-off': 'DELETE FROM entries WHERE position=(SELECT max(position) FROM entries)',
  };
  for (const [name, sql] of Object.entries(cases)) {
    const found = await tamper(name, sql);
    const report = JSON.parse(found.stdout);
    assert.deepEqual([found.code, report.audit.ok], [1, false], name);
    assert.equal(report.ok, true, 'the log itself is whole');
  }
});
