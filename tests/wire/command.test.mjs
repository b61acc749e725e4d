// The command line is a contract: arguments, exit codes, what programs may read, what is refused.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Gateway, holdline } from '../support/gateway.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const [OK, REFUSED, USAGE, ENVIRONMENT] = [0, 1, 2, 3];
const lastLine = (text) => text.trim().split('\n').at(-1);

// Starts one that must not come up: {code, last}. Its folder is made before.
async function refuse(args, prepare = () => {}) {
  const failing = new Gateway();
  try {
    await prepare(failing);
    const { code, stdout, stderr } = await holdline(['serve', '--listen', '127.0.0.1:0', '--data', failing.data, ...args]);
    assert.equal(stdout, '', 'nothing listens');
    return { code, last: lastLine(stderr) };
  } finally {
    await failing.remove();
  }
}

async function makeData(other) {
  await other.start();
  assert.equal(await other.stop(), OK);
}

wireTest('every command explains itself and its exit codes', async () => {
  for (const command of ['serve', 'check', 'key', 'verify', 'backup', 'restore']) {
    const help = await holdline([command, '--help']);
    assert.equal(help.code, OK);
    assert.match(help.stdout, new RegExp(`^Usage: holdline ${command}`));
    assert.match(help.stdout.replace(/\s+/g, ' '), /Exit codes: 0 done; 1 /);
    const wrong = await holdline([command, '--no-such-option']);
    assert.equal(wrong.code, USAGE, command);
  }
  assert.match((await holdline(['--help'])).stdout, /Commands:/);
  assert.equal((await holdline([])).code, USAGE);
  assert.equal((await holdline(['nonsense'])).code, USAGE);
  const version = await holdline(['version', '--json']);
  assert.equal(JSON.parse(version.stdout).name, 'holdline');
});

wireTest('a second gateway gets neither the port nor the folder of the first', async () => {
  const port = await refuse(['--listen', new URL(gateway.url).host]);
  assert.equal(port.code, ENVIRONMENT);
  assert.match(port.last, /in use/);
  const folder = await refuse(['--data', gateway.data]);
  assert.equal(folder.code, ENVIRONMENT);
  assert.match(folder.last, /in use by another holdline/);
});

wireTest('secrets that others could read, or that are gone, stop the start', async () => {
  const open = await refuse([], async (other) => {
    await makeData(other);
    chmodSync(join(other.data, 'secrets', 'chain'), 0o644);
  });
  assert.equal(open.code, REFUSED);
  assert.match(open.last, /chain is mode 0644/);
  const lost = await refuse([], async (other) => {
    await makeData(other);
    unlinkSync(join(other.data, 'secrets', 'chain'));
  });
  assert.equal(lost.code, REFUSED);
  assert.match(lost.last, /chain is missing/);
});

wireTest('a file that is no log is refused and left alone', async () => {
  const text = 'this is a letter, not a log\n'.repeat(400);
  const { code, last } = await refuse([], async (other) => {
    await makeData(other);
    for (const name of readdirSync(other.data)) {
      if (name.startsWith('holdline.db')) rmSync(join(other.data, name));
    }
    writeFileSync(join(other.data, 'holdline.db'), text);
  });
  assert.equal(code, REFUSED, last);
  assert.match(last, /level=error/);
});

wireTest('the data folder is for its owner only', async () => {
  const modes = (folder) => readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o077);
  assert.equal(statSync(gateway.data).mode & 0o077, 0);
  assert.ok(modes(gateway.data).every((mode) => mode === 0));
  assert.ok(modes(join(gateway.data, 'secrets')).every((mode) => mode === 0));
});

wireTest('the life of a key', async () => {
  const added = await holdline(['key', 'add', '--data', gateway.data, '--name', 'Zoë', '--role', 'integration', '--json']);
  const key = JSON.parse(added.stdout);
  assert.match(key.secret, /^hlk_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([key.name, key.role, key.revoked], ['Zoë', 'integration', null]);
  const list = await holdline(['key', 'list', '--data', gateway.data, '--json']);
  assert.ok(!list.stdout.includes(key.secret), 'the secret is shown once');
  assert.ok(JSON.parse(list.stdout).keys.some(({ id }) => id === key.id));
  const revoke = () => holdline(['key', 'revoke', '--data', gateway.data, key.id]);
  assert.equal((await revoke()).code, OK);
  assert.equal((await revoke()).code, REFUSED);
  assert.equal((await holdline(['key', 'revoke', '--data', gateway.data, 'me'])).code, USAGE);
  assert.equal((await holdline(['key', 'add', '--data', gateway.data])).code, USAGE);
  assert.equal((await holdline(['key', 'add', '--data', gateway.data, '--name', 'a', '--role', 'king'])).code, USAGE);
});

wireTest('copies are never written over, and a broken one is found', async () => {
  const folder = join(gateway.folder, 'copies');
  mkdirSync(folder);
  const copy = join(folder, 'copy');
  const sent = await gateway.request('/v1/enquiries', {
    method: 'POST', headers: { 'idempotency-key': 'copied' }, body: { contact: {}, message: { text: 'keep me' } },
  });
  assert.equal(sent.status, 201);
  assert.equal((await holdline(['backup', '--data', gateway.data, '--to', copy])).code, OK);
  assert.equal((await holdline(['backup', '--data', gateway.data, '--to', copy])).code, REFUSED);
  assert.deepEqual(readdirSync(folder).sort(), ['copy', 'copy.keys'], 'no half copy is left');
  assert.equal((await holdline(['restore', '--from', copy, '--data', gateway.data])).code, REFUSED);
  assert.equal((await holdline(['verify', '--data', join(folder, 'nothing')])).code, ENVIRONMENT);
  const whole = await holdline(['verify', '--data', copy, '--json']);
  assert.equal(JSON.parse(whole.stdout).ok, true);
  writeFileSync(join(copy, 'secrets', 'chain'), `${'0'.repeat(64)}\n`);
  const other = await holdline(['verify', '--data', copy, '--json']);
  assert.deepEqual([other.code, JSON.parse(other.stdout).findings.chain > 0], [REFUSED, true]);
  writeFileSync(join(copy, 'holdline.db'), 'torn');
  const lost = await holdline(['restore', '--from', copy, '--data', join(folder, 'unread'), '--keys', join(folder, 'none')]);
  assert.notEqual(lost.code, OK, 'nobody reads a copy without its keys');
  const torn = await holdline(['verify', '--data', copy, '--json']);
  assert.deepEqual([torn.code, JSON.parse(torn.stdout).ok], [REFUSED, false]);
  const target = join(folder, 'target');
  assert.equal((await holdline(['restore', '--from', copy, '--data', target])).code, REFUSED);
  assert.ok(!existsSync(join(target, 'secrets')), 'a restore that failed leaves nothing');
});

wireTest('a key is good within a second after it was added, and dead after it was revoked', async () => {
  for (let i = 0; i < 8; i += 1) {
    const added = await holdline(['key', 'add', '--data', gateway.data, '--name', `at once ${i}`, '--json']);
    const key = JSON.parse(added.stdout);
    const ask = () => gateway.request('/v1/agent', { headers: { authorization: `Bearer ${key.secret}` } });
    const becomes = async (status) => {
      const began = Date.now();
      while ((await ask()).status !== status && Date.now() - began < 1000);
      assert.equal((await ask()).status, status);
    };
    await becomes(200);
    await holdline(['key', 'revoke', '--data', gateway.data, key.id]);
    await becomes(401);
  }
});

wireTest('a damaged log is refused: that is about the data, not the environment', async () => {
  const other = new Gateway();
  await other.start();
  await other.key('ann');
  assert.equal(await other.stop(), OK);
  const file = await open(join(other.data, 'holdline.db'), 'r+');
  for (const at of [4096, 8192, 20480]) await file.write(Buffer.alloc(512, 0xa5), 0, 512, at);
  await file.close();
  const served = await holdline(['serve', '--listen', '127.0.0.1:0', '--data', other.data]);
  assert.equal(served.code, REFUSED, served.stderr);
  assert.match(served.stderr, /damaged/);
  assert.equal((await holdline(['verify', '--data', other.data])).code, REFUSED);
  await other.remove();
});

wireTest('a port that is none is wrong usage', async () => {
  for (const listen of ['127.0.0.1:99999', '127.0.0.1:-1', 'nonsense', '127.0.0.1:']) {
    assert.equal((await holdline(['serve', '--listen', listen, '--data', join(gateway.folder, 'none')])).code, USAGE, listen);
  }
});

wireTest('rotate-token makes no folder where there is none', async () => {
  const folder = join(gateway.folder, 'dtaa');
  const { code, stderr } = await holdline(['key', 'rotate-token', '--data', folder]);
  assert.equal(code, ENVIRONMENT);
  assert.match(stderr, /dtaa/);
  assert.equal(existsSync(folder), false);
});
