// What the audit log says of changes is not lost by a crash, nor by changes from the command line; and
// a log that was taken away or put back is noticed.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Gateway, holdline } from '../support/gateway.mjs';
import { wireTest } from '../support/suite.mjs';

const NAMES = ['audit.db', 'audit.db-wal', 'audit.db-shm'];

async function begin(t) {
  const gateway = await Gateway.start({ config: 'requests_per_address_per_s = 0;\n' });
  t.after(() => gateway.remove());
  const admin = await gateway.key('root', ['--role', 'admin']);
  const call = (method, path, body, headers = {}) =>
    gateway.request(path, { method, body, headers: { authorization: `Bearer ${admin}`, ...headers } });
  const audit = async (query) => {
    const found = [];
    for (let cursor = ''; cursor !== null; ) {
      const page = await call('GET', `/v1/audit?limit=200&${query}${cursor && `&cursor=${cursor}`}`);
      assert.equal(page.status, 200, page.text);
      found.push(...page.json.data);
      cursor = page.json.next_cursor;
    }
    return found;
  };
  // Entries of changes by another process come by themselves.
  const auditUntil = async (query, n) => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = await audit(query);
      if (found.length >= n || Date.now() > deadline) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { gateway, call, auditUntil };
}

async function verify(gateway) {
  const { code, stdout } = await holdline(['verify', '--data', gateway.data, '--json']);
  return { code, ...JSON.parse(stdout) };
}

function moveAudit(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of NAMES) {
    rmSync(join(to, name), { force: true });
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

wireTest('after kill -9 every change that is there is recorded, once', async (t) => {
  const { gateway, call, auditUntil } = await begin(t);
  for (let round = 0; round < 4; round += 1) {
    const writes = Array.from({ length: 15 }, (_, i) =>
      call('POST', '/v1/canned-replies', { shortcut: `k-${round}-${i}`, text: 'x' }).catch(() => null));
    await writes[round]; // the others are under way: changed, recorded, both or neither
    await gateway.kill();
    await Promise.all(writes);
    await gateway.start();
  }
  const { json } = await call('GET', '/v1/canned-replies?limit=200');
  const there = json.data.map(({ id }) => id).sort();
  const recorded = (await auditUntil('action=canned_reply.created', there.length)).map(({ object }) => object).sort();
  assert.ok(there.length >= 4);
  assert.deepEqual(recorded, there);
  assert.equal((await verify(gateway)).audit.ok, true);
});

wireTest('changes from the command line are recorded, whether it runs or not', async (t) => {
  const { gateway, auditUntil } = await begin(t);
  const command = async (...args) => {
    const { code, stdout, stderr } = await holdline(['key', ...args, '--data', gateway.data, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const ann = await command('add', '--name', 'Ann');
  await command('revoke', ann.id);
  const seen = await auditUntil('actor=operator&action=agent.deactivated', 1);
  assert.deepEqual(seen.map(({ actor, object }) => [actor, object]), [[{ role: 'operator' }, ann.id]]);
  assert.ok(Math.abs(Date.parse(seen[0].at) - Date.now()) < 60_000);
  await gateway.kill();
  const ben = await command('add', '--name', 'Ben');
  await command('revoke', ben.key);
  await gateway.start();
  const revoked = await auditUntil('actor=operator&action=key.revoked', 1);
  assert.deepEqual(revoked.map(({ object }) => object), [ben.key]);
  const all = await auditUntil('actor=operator', 8);
  assert.deepEqual(all.map(({ action }) => action).reverse(), [
    'agent.created', 'key.created', 'agent.created', 'key.created', 'agent.deactivated',
    'agent.created', 'key.created', 'key.revoked',
  ]);
});

wireTest('the last admin stays, and somebody can sign in as one', async (t) => {
  const { gateway, call } = await begin(t);
  const me = (await call('GET', '/v1/agent')).json.id;
  const star = { 'if-match': '*' };
  const refused = [
    await call('DELETE', `/v1/agents/${me}`, undefined, star),
    await call('PATCH', `/v1/agents/${me}`, { role: 'agent' }, star),
    await call('PATCH', `/v1/agents/${me}`, { active: false }, star),
    await call('DELETE', `/v1/keys/${(await call('GET', '/v1/keys')).json.data[0].id}`),
  ];
  for (const { status, json } of refused) assert.deepEqual([status, json.code], [409, 'in_use']);
  await gateway.key('bound', ['--role', 'admin', '--site', 'default']);
  assert.equal((await call('DELETE', `/v1/agents/${me}`, undefined, star)).status, 409);
  const other = await call('POST', '/v1/agents', { name: 'Other', role: 'admin' });
  assert.equal((await call('DELETE', `/v1/agents/${me}`, undefined, star)).status, 409, 'no key yet');
  assert.equal((await call('PATCH', `/v1/agents/${me}`, { name: 'Root' }, star)).status, 200);
  assert.equal((await call('POST', '/v1/keys', { agent: other.json.id, name: 'x' })).status, 201);
  assert.equal((await call('DELETE', `/v1/agents/${me}`, undefined, star)).status, 204);
  const { code } = await holdline(['key', 'revoke', other.json.id, '--data', gateway.data]);
  assert.equal(code, 0, 'by the command line the last one too');
});

wireTest('verify finds an audit log that is missing, older or another one', async (t) => {
  const { gateway, call } = await begin(t);
  const change = (shortcut) => call('POST', '/v1/canned-replies', { shortcut, text: 'x' });
  const older = join(gateway.folder, 'older');
  const newest = join(gateway.folder, 'newest');
  await change('a');
  assert.equal(await gateway.stop(), 0);
  moveAudit(gateway.data, older);
  await gateway.start();
  await change('b');
  assert.equal(await gateway.stop(), 0);
  const whole = await verify(gateway);
  assert.deepEqual([whole.code, whole.audit.ok], [0, true]);
  moveAudit(gateway.data, newest);
  for (const name of NAMES) rmSync(join(gateway.data, name), { force: true });
  const missing = await verify(gateway);
  assert.deepEqual([missing.code, missing.ok, missing.audit.ok], [1, true, false]);
  assert.match(missing.audit.details.join(), /missing/);
  assert.equal(missing.audit.known.position, whole.audit.position);
  moveAudit(older, gateway.data);
  const rolledBack = await verify(gateway);
  assert.deepEqual([rolledBack.code, rolledBack.audit.ok], [1, false]);
  assert.match(rolledBack.audit.details.join(), /older/);
  moveAudit(newest, gateway.data);
  assert.equal((await verify(gateway)).code, 0);
  moveAudit(older, gateway.data);
  await gateway.start();
  assert.match(gateway.log, /audit\.rolled_back/);
  for (const shortcut of ['c', 'd', 'e']) await change(shortcut);
  assert.equal(await gateway.stop(), 0);
  assert.equal((await verify(gateway)).code, 1, 'later entries do not cover it up');
});

wireTest('a restored backup is whole', async (t) => {
  const { gateway, call } = await begin(t);
  await call('POST', '/v1/canned-replies', { shortcut: 'a', text: 'x' });
  const backup = join(gateway.folder, 'backup');
  const restored = join(gateway.folder, 'restored');
  assert.equal((await holdline(['backup', '--data', gateway.data, '--to', backup])).code, 0);
  assert.equal((await verify({ data: backup })).code, 0);
  assert.equal((await holdline(['restore', '--from', backup, '--data', restored])).code, 0);
  const report = await verify({ data: restored });
  assert.deepEqual([report.code, report.audit.ok], [0, true], JSON.stringify(report));
});

wireTest('a filter finds what is far back in one page', async (t) => {
  const { call } = await begin(t);
  const far = await call('POST', '/v1/canned-replies', { shortcut: 'far', text: 'x' });
  const { id } = far.json;
  for (let i = 0; i < 1500; i += 50) {
    const reads = Array.from({ length: 50 }, () => call('GET', '/v1/conversations?q=anything'));
    for (const read of await Promise.all(reads)) assert.equal(read.status, 200, read.text);
  }
  const page = await call('GET', '/v1/audit?action=canned_reply.created');
  assert.deepEqual(page.json.data.map(({ object }) => object), [id]);
});
