// Peers that are slow, silent or too many: closed in time, answered where that helps, and never
// buffered for. Plain and TLS.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { test } from 'node:test';
import tls from 'node:tls';
import WebSocket from 'ws';
import { makeCertificate, openGateways, readAnswers } from '../support/raw.mjs';

const HOST = 'Host: gateway.test\r\n';
const gateways = openGateways({
  env: {
    HOLDLINE_TEST_MODE: 'true',
    HOLDLINE_HEADER_MS: '600',
    HOLDLINE_BODY_MS: '600',
    HOLDLINE_IDLE_MS: '900',
    HOLDLINE_WRITE_STALL_MS: '900',
    HOLDLINE_REQUEST_BYTES_MAX: '4000000',
    HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX: '60',
    HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0',
  },
});

// Milliseconds until the gateway closes; everything it sent is in socket.text.
async function timeToEnd(socket) {
  const from = performance.now();
  await socket.closed;
  socket.destroy();
  return performance.now() - from;
}

function openWebSocket(gateway, protocol = 'holdline.echo', options = {}) {
  const socket = new WebSocket(gateway.url.replace(/^http/, 'ws') + '/v1/ws', protocol, {
    rejectUnauthorized: false, perMessageDeflate: false, ...options });
  socket.ended = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

function echo(socket, text) {
  return new Promise((resolve) => {
    socket.once('message', (data) => resolve(String(data)));
    socket.send(text);
  });
}

for (const gateway of gateways) {
  const { scheme } = gateway;

  test(`${scheme}: a silent connection is closed`, async () => {
    const ms = await timeToEnd(await gateway.open());
    assert.ok(ms > 300 && ms < 5000, `${ms} ms`);
  });

  test(`${scheme}: a head that never ends is answered and closed`, async () => {
    const socket = await gateway.open();
    await socket.write(`GET /livez HTTP/1.1\r\n${HOST}`);
    let n = 0;
    const drip = setInterval(() => socket.socket.write(`X-${n++}: a\r\n`), 100);
    const ms = await timeToEnd(socket);
    clearInterval(drip);
    assert.ok(ms < 5000, `${ms} ms`);
    assert.match(socket.text, /^HTTP\/1\.1 408 .*"code":"timeout"/s);
  });

  test(`${scheme}: a body that never ends is answered and closed`, async () => {
    const socket = await gateway.open();
    await socket.write(`POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`);
    const drip = setInterval(() => socket.socket.write('x'), 100);
    const ms = await timeToEnd(socket);
    clearInterval(drip);
    assert.ok(ms < 5000, `${ms} ms`);
    assert.match(socket.text, /^HTTP\/1\.1 408 /);
  });

  test(`${scheme}: a kept connection without a request is closed`, async () => {
    const socket = await gateway.open();
    await socket.write(`POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nok`);
    await socket.until((text) => text.endsWith('ok'));
    const ms = await timeToEnd(socket);
    assert.ok(ms > 400 && ms < 5000, `${ms} ms`);
  });

  test(`${scheme}: who does not read its answer is cut off`, async () => {
    const socket = await gateway.open();
    socket.socket.pause();
    const size = 3_900_000;
    const request = `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
    // the gateway reads no further request while an answer waits, so writing comes to a stop
    const broken = new Promise((resolve) => socket.socket.once('error', resolve));
    for (let i = 0; i < 20 && !socket.error; i += 1) await socket.write(request);
    const error = await broken;
    assert.match(error.code, /ECONNRESET|EPIPE/);
  });

  test(`${scheme}: a WebSocket that takes nothing is cut off`, async () => {
    const socket = await openWebSocket(gateway);
    socket.pause();
    socket._socket.pause();
    for (let i = 0; i < 100; i += 1) socket.send('x'.repeat(1 << 20));
    const code = await Promise.race([socket.ended, new Promise((r) => socket._socket.once('close', r))]);
    assert.notEqual(code, 1000);
    socket.terminate();
  });

  test(`${scheme}: a WebSocket that does not answer our close is cut off`, async () => {
    const socket = await gateway.open();
    await socket.write(`GET /v1/ws HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: holdline.v1\r\n\r\n`);
    await socket.until((text) => text.includes('\r\n\r\n'));
    await socket.write(Buffer.from([0x82, 0x80, 0, 0, 0, 0])); // binary: refused
    const ms = await timeToEnd(socket);
    assert.ok(ms < 10_000, `${ms} ms`);
    assert.match(socket.text, /unsupported_type/);
  });

  test(`${scheme}: too many connections from one address`, async () => {
    const sockets = [];
    let refused;
    while (!refused && sockets.length < 80) {
      await openWebSocket(gateway).then((socket) => sockets.push(socket), (error) => (refused = error));
    }
    assert.ok(refused, 'one was refused');
    assert.ok(sockets.length > 20, `${sockets.length} were let in`);
    if (scheme === 'http') {
      const socket = await gateway.open();
      await socket.closed;
      const [answer] = readAnswers(socket.text);
      assert.equal(answer.status, 429);
      assert.ok(Number(answer.headers['retry-after']) > 0);
      assert.equal(JSON.parse(answer.body).code, 'too_many');
      socket.destroy();
    }
    assert.equal(await echo(sockets[0], 'the others stay'), 'the others stay');
    for (const socket of sockets) socket.terminate();
    await Promise.all(sockets.map((socket) => socket.ended));
    await waitFor(() => openWebSocket(gateway).then((socket) => !socket.close(), () => false));
  });
}

test('https: a new certificate is used for new connections, open ones go on', async () => {
  const gateway = gateways[1];
  const subject = () => new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
  const before = await openWebSocket(gateway);
  assert.equal(await subject(), 'localhost');
  const fresh = makeCertificate(gateway.folder, 'renewed');
  copyFileSync(fresh.certificate, gateway.files.certificate);
  gateway.process.signal('SIGHUP'); // the key does not fit: the old pair stays
  await waitFor(() => /key/.test(gateway.process.log));
  assert.equal(await subject(), 'localhost');
  copyFileSync(fresh.key, gateway.files.key);
  gateway.process.signal('SIGHUP');
  await waitFor(async () => (await subject()) === 'renewed');
  assert.equal(await echo(before, 'still here'), 'still here');
  before.close();
});

test('https: only TLS 1.2 and later, only http/1.1', async () => {
  const { hostname, port } = new URL(gateways[1].url);
  const connect = (options) => new Promise((resolve) => {
    const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options }, () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on('error', () => resolve('refused'));
  });
  assert.equal(await connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }), 'refused');
  assert.equal(await connect({ maxVersion: 'TLSv1.2', ALPNProtocols: ['h2', 'http/1.1'] }), 'TLSv1.2 http/1.1');
  assert.equal(await connect({ ALPNProtocols: ['http/1.1'] }), 'TLSv1.3 http/1.1');
  assert.equal(await connect({ ALPNProtocols: ['h2'] }), 'refused');
});

async function waitFor(holds) {
  for (const until = performance.now() + 10_000; performance.now() < until; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('did not come about');
}
