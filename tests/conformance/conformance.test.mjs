// The gateway passes its own conformance suite, and the suite is not blind: a gateway that is
// broken on purpose fails it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gateway } from '../support/gateway.mjs';
import { BrokenProxy, FAULTS } from './proxy.mjs';
import { count, runAll } from './runner.mjs';

const PROGRAM = fileURLToPath(new URL('./holdline-conformance', import.meta.url));
const gateway = new Gateway({
  env: { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0', HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX: '2000' },
});
let key;

before(async () => {
  await gateway.start();
  key = await gateway.key('conformance');
});
after(() => gateway.remove());

// A broken gateway must be found by a case of this section.
const FOUND_IN = {
  'drops confirmations': 'publish',
  'renumbers offsets': 'publish',
  'calls repeats new': 'publish',
  'always says resumed': 'replay',
  'loses entries': 'replay',
  'hides errors': 'errors',
  'forgets the end of a replay': 'replay',
};

test('the gateway passes', { timeout: 120_000 }, async () => {
  const results = await runAll(gateway.url, { key });
  const failed = results.filter((r) => r.result === 'failed');
  assert.deepEqual(failed.map((r) => `${r.section}: ${r.name} [${r.transport}]: ${r.why}`), []);
  assert.ok(results.length > 80, `${results.length} cases`);
  assert.equal(Object.keys(count(results)).length, 8);
  assert.ok(results.every((r) => r.result === 'passed'));
});

for (const [fault, section] of Object.entries(FOUND_IN)) {
  test(`a gateway that ${fault} fails`, { timeout: 120_000 }, async () => {
    const proxy = await new BrokenProxy(gateway.url, FAULTS[fault]).listen();
    try {
      const results = await runAll(proxy.url, { key, section, deadlineMs: 600 });
      assert.ok(results.some((r) => r.result === 'failed'), 'nobody noticed');
    } finally {
      await proxy.close();
    }
  });
}

test('the proxy itself breaks nothing', { timeout: 60_000 }, async () => {
  const proxy = await new BrokenProxy(gateway.url, FAULTS['passes everything on']).listen();
  try {
    const results = await runAll(proxy.url, { key, section: 'publish' });
    assert.deepEqual(results.filter((r) => r.result !== 'passed'), []);
  } finally {
    await proxy.close();
  }
});

const run = (args) =>
  new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });

test('the program says how it went', { timeout: 60_000 }, async () => {
  const good = await run([gateway.url, '--section', 'enquiry', '--key', key]);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /enquiry +\d+ passed, 0 failed, 0 skipped/);
  const json = await run([gateway.url, '--section', 'enquiry', '--json']);
  assert.ok(JSON.parse(json.stdout).sections.enquiry.skipped > 0);
  assert.equal((await run([])).code, 2);
  assert.equal((await run(['http://127.0.0.1:1'])).code, 3);
  const proxy = await new BrokenProxy(gateway.url, FAULTS['renumbers offsets']).listen();
  assert.equal((await run([proxy.url, '--section', 'publish'])).code, 1);
  await proxy.close();
});
