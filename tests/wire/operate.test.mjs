// What operators meet: health, metrics, drain, TLS and reload, wrong configurations, the command
// line and its exit codes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { Gateway, holdline } from '../support/gateway.mjs';
import { onEachTransport, useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const SOON = { HOLDLINE_DRAIN_WINDOW_MS: '100', HOLDLINE_DRAIN_DEADLINE_MS: '300' };

wireTest('livez and readyz', async () => {
  const live = await gateway.request('/livez');
  assert.equal(live.status, 200);
  const ready = await gateway.request('/readyz');
  assert.equal(ready.status, 200, ready.text);
  assert.equal(typeof ready.json, 'object');
});

// The text format of Prometheus, as strictly as a parser of it: {name: type}, samples.
function parseMetrics(text) {
  const types = {};
  const samples = [];
  assert.ok(text.endsWith('\n'));
  for (const line of text.split('\n').filter(Boolean)) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'TYPE') {
      assert.ok(!types[name], `${name} has two types`);
      assert.match(rest, /^(counter|gauge|histogram|summary)$/);
      types[name] = rest;
    } else if (!kind) {
      const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|\+Inf|NaN)$/.exec(line);
      assert.ok(sample, `no sample: ${line}`);
      samples.push({ name: sample[1], labels: sample[2] ?? '', value: Number(sample[3]) });
    }
  }
  return { types, samples };
}

wireTest('metrics are Prometheus text and count', async (t) => {
  const before = parseMetrics((await gateway.request('/metrics')).text);
  const visitor = await t.connect(gateway);
  await visitor.publish('one');
  const answer = await gateway.request('/metrics');
  assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const after = parseMetrics(answer.text);
  for (const { name } of after.samples) {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    assert.ok(after.types[name] || after.types[base], `${name} has no type`);
  }
  const keys = after.samples.map((s) => s.name + s.labels);
  assert.equal(new Set(keys).size, keys.length, 'no sample twice');
  const sum = (m, pattern) => m.samples.filter((s) => pattern.test(s.name)).reduce((n, s) => n + s.value, 0);
  assert.ok(sum(after, /submits|pubs|entries/) > sum(before, /submits|pubs|entries/), 'the message was counted');
});

onEachTransport('a drain tells everybody, and the process ends in good order', async (t, transport) => {
  const env = { HOLDLINE_DRAIN_WINDOW_MS: '300', HOLDLINE_DRAIN_DEADLINE_MS: '1500' };
  const draining = await Gateway.start({ env });
  try {
    const visitor = await t.connect(draining);
    await visitor.publish('before');
    // An idle poller has a poll parked.
    while (transport === 'longpoll' && !/^holdline_polls_parked(\{[^}]*\})? 1$/m.test((await draining.request('/metrics')).text));
    const exited = draining.exited;
    draining.signal('SIGTERM');
    const drain = await visitor.waitForType('drain');
    assert.deepEqual([drain.window_ms, drain.deadline_ms], [300, 1500]);
    const { code } = await exited;
    assert.equal(code, 0, draining.log);
    visitor.ended = null;
    await draining.start();
    await visitor.attach();
    assert.equal(visitor.welcome.conv[0].verdict, 'resumed');
    assert.ok(visitor.welcome.conv[0].head >= 1);
  } finally {
    await draining.remove();
  }
});

// -- TLS ----------------------------------------------------------------------------------------

function makeCertificate(folder, name) {
  const at = (suffix) => join(folder, `${name}.${suffix}`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at('key'), '-out', at('crt')], { stdio: 'ignore' });
  return { key: at('key'), crt: at('crt') };
}

function peerName(url, options = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options }, () => {
      resolve({ name: socket.getPeerCertificate().subject.CN, protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

wireTest('TLS: chat, reload of the certificate without a drop, no old versions', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdline-tls-'));
  const first = makeCertificate(folder, 'first');
  const second = makeCertificate(folder, 'second');
  const [crt, key] = [join(folder, 'now.crt'), join(folder, 'now.key')];
  const install = (pair) => {
    copyFileSync(pair.crt, crt);
    copyFileSync(pair.key, key);
  };
  install(first);
  const secure = await Gateway.start({ env: { HOLDLINE_TLS_CERTIFICATE: crt, HOLDLINE_TLS_KEY: key } });
  try {
    assert.match(secure.url, /^https:/);
    assert.equal((await peerName(secure.url)).name, 'first');
    const clients = [];
    for (const transport of ['websocket', 'longpoll']) {
      const visitor = await t.connect(secure, { transport });
      assert.equal((await visitor.publish('one')).o, 1);
      clients.push(visitor);
    }
    install(second);
    secure.signal('SIGHUP');
    let name = 'first';
    for (let i = 0; i < 400 && name === 'first'; i += 1) ({ name } = await peerName(secure.url));
    assert.equal(name, 'second');
    for (const visitor of clients) {
      assert.equal((await visitor.publish('two')).o, 2);
      assert.equal(visitor.ended, undefined);
    }
    writeFileSync(key, 'no key');
    secure.signal('SIGHUP');
    assert.equal((await peerName(secure.url)).name, 'second', 'a bad file changes nothing');
    assert.equal((await clients[0].publish('three')).o, 3);
    await assert.rejects(peerName(secure.url, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }));
    assert.equal((await peerName(secure.url, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
  } finally {
    await secure.remove();
    rmSync(folder, { recursive: true });
  }
});

// -- configuration --------------------------------------------------------------------------------

async function check(text, env) {
  const folder = mkdtempSync(join(tmpdir(), 'holdline-config-'));
  const file = join(folder, 'holdline.conf');
  writeFileSync(file, text);
  const result = await holdline(['check', '--config', file], { env });
  rmSync(folder, { recursive: true });
  return { ...result, all: result.stdout + result.stderr };
}

wireTest('check accepts what is right and names the line of what is wrong', async () => {
  const good = await check('# a comment\nping_ms = 20000;\norigins = ["https://shop.example"];\n');
  assert.equal(good.code, 0, good.all);
  const cases = [
    ['ping_ms = 20000;\n\nhello_ms = = 3;\n', /:3\b/],
    ['ping_ms = 20000;\npinng_ms = 3;\n', /:2\b[^]*pinng_ms/],
    ['\n\n\nping_ms = "soon";\n', /:4\b[^]*ping_ms/],
    ['ping_ms = 1;\n', /:1\b[^]*ping_ms/],
    ['tls_certificate = "/nowhere.crt";\n', /tls_/],
    ['\nnode = "a\\x00b";\n', /:2\b[^]*NUL/],
    ['node = "a\0b";\n', /:1\b[^]*NUL/],
    ['oidc_issuer = "http://id.example";\n', /:1\b[^]*https/],
    ['oidc_issuer = "https://id.example";\n', /oidc_client_id/],
    ['oidc_issuer = "https://id.example"; oidc_client_id = "x";\n', /public_url/],
  ];
  for (const [text, expected] of cases) {
    const bad = await check(text);
    assert.notEqual(bad.code, 0, text);
    assert.match(bad.all, expected, text);
  }
  const variable = await check('', { HOLDLINE_PING_MS: 'soon' });
  assert.notEqual(variable.code, 0);
  assert.match(variable.all, /HOLDLINE_PING_MS|ping_ms/);
});

wireTest('a gateway with a wrong configuration does not start, and says why', async () => {
  const broken = new Gateway({ config: 'ping_ms = "soon";\n' });
  await assert.rejects(broken.start(), /ping_ms/);
  await broken.remove();
});

wireTest('exit codes of the command line', async () => {
  assert.equal((await holdline(['version'])).code, 0);
  assert.ok(JSON.parse((await holdline(['version', '--json'])).stdout).version);
  const usage = (await holdline([])).code;
  assert.ok(usage !== 0);
  for (const args of [['dance'], ['serve', '--no-such-option'], ['version', 'x']]) {
    assert.equal((await holdline(args)).code, usage, args.join(' '));
  }
  for (const command of ['serve', 'check', 'key', 'verify', 'backup', 'restore', 'version']) {
    const help = await holdline([command, '--help']);
    assert.equal(help.code, 0, command);
    assert.match(help.stdout, /Usage/i, command);
  }
});

wireTest('verify, backup, restore: a restored log has another epoch', async (t) => {
  const source = await Gateway.start({ env: SOON });
  const folder = mkdtempSync(join(tmpdir(), 'holdline-backup-'));
  const copy = new Gateway();
  try {
    const visitor = await t.connect(source);
    await visitor.publish('one');
    const backup = join(folder, 'copy');
    const backed = await holdline(['backup', '--data', source.data, '--to', backup]);
    assert.equal(backed.code, 0, backed.stderr);
    await visitor.publish('two');
    assert.equal(await source.stop(), 0);
    const verified = await holdline(['verify', '--data', source.data, '--json']);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    JSON.parse(verified.stdout);
    const restored = await holdline(['restore', '--data', copy.data, '--from', backup]);
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    await copy.start();
    visitor.gateway = copy;
    await visitor.attach();
    const [conv] = visitor.welcome.conv;
    assert.equal(conv.verdict, 'reset', 'the client was ahead');
    await visitor.level(1);
    assert.deepEqual(visitor.texts, ['one']);
  } finally {
    await source.remove();
    await copy.remove();
    rmSync(folder, { recursive: true });
  }
});

wireTest('log lines are one event each, without bodies', async (t) => {
  const json = await Gateway.start({ env: { ...SOON, HOLDLINE_LOG_FORMAT: 'json' } });
  try {
    const visitor = await t.connect(json);
    await visitor.publish('a secret sentence');
    assert.equal(await json.stop(), 0);
    const lines = json.log.split('\n').filter(Boolean);
    assert.ok(lines.length > 0);
    for (const line of lines) JSON.parse(line);
    assert.ok(!json.log.includes('a secret sentence'));
  } finally {
    await json.remove();
  }
});
