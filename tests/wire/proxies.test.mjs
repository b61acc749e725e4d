// Behind proxies: whose word about the client is taken, and what counts for whom.
import assert from 'node:assert/strict';
import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { Gateway, holdline } from '../support/gateway.mjs';
import { wireTest } from '../support/suite.mjs';

async function withGateway(env, run) {
  const gateway = await Gateway.start({ env });
  try {
    await run(gateway);
  } finally {
    await gateway.remove();
  }
}

const FEW = { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '1', HOLDLINE_REQUESTS_BURST: '3' };
const ask = async (gateway, headers) => (await gateway.request('/livez', { headers })).status;
const from = (address) => ({ 'x-forwarded-for': address });

// Asks until it is too much; one more is allowed for each second that it takes.
async function spend(gateway, headers) {
  let status = await ask(gateway, headers);
  assert.equal(status, 200, JSON.stringify(headers));
  for (let i = 0; i < 30 && status === 200; i += 1) status = await ask(gateway, headers);
  assert.equal(status, 429, JSON.stringify(headers));
}

wireTest('each client behind a trusted proxy has its own limit', async () => {
  await withGateway({ ...FEW, HOLDLINE_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' }, async (gateway) => {
    await spend(gateway, from('192.0.2.1'));
    await spend(gateway, from('192.0.2.2'));
    assert.equal(await ask(gateway, from('6.6.6.6, 192.0.2.1')), 429, 'what the client adds is no other client');
    assert.equal(await ask(gateway, from('192.0.2.1, 10.1.2.3')), 429, 'nor is the way');
    assert.equal(await ask(gateway, { forwarded: 'for=192.0.2.3', ...from('192.0.2.1') }), 429, 'the other header is ignored');
    await spend(gateway, from('2001:db8:1:2::1'));
    assert.equal(await ask(gateway, from('2001:db8:1:2:ffff::9')), 429, 'a /64 is one address');
    await spend(gateway, {});
  });
});

wireTest('a stranger may claim what he likes', async () => {
  await withGateway({ ...FEW, HOLDLINE_TRUSTED_PROXIES: '10.0.0.0/8' }, async (gateway) => {
    await spend(gateway, from('192.0.2.1'));
    assert.equal(await ask(gateway, from('192.0.2.2')), 429);
    assert.equal(await ask(gateway, {}), 429);
  });
});

wireTest('Forwarded is read where the operator says so', async () => {
  const env = { ...FEW, HOLDLINE_TRUSTED_PROXIES: '127.0.0.1', HOLDLINE_TRUSTED_HEADER: 'forwarded' };
  await withGateway(env, async (gateway) => {
    await spend(gateway, { forwarded: 'for="192.0.2.1:4711";proto=https' });
    assert.equal(await ask(gateway, { forwarded: 'for=6.6.6.6, for=192.0.2.1', ...from('192.0.2.9') }), 429);
    assert.equal(await ask(gateway, { forwarded: 'for=192.0.2.2' }), 200);
  });
});

// The status of a handshake; an open WebSocket is kept in `sockets`.
function upgrade(gateway, headers, sockets) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${gateway.url}/v1/ws`, {
      agent: false,
      headers: {
        connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-protocol': 'holdline.v1',
        'sec-websocket-key': randomBytes(16).toString('base64'), ...headers,
      },
    });
    request.on('upgrade', (response, socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
      resolve(response.statusCode);
    });
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
}

wireTest('a WebSocket counts as its client\'s connection, the proxy\'s do not', async () => {
  const env = { HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX: '2', HOLDLINE_TRUSTED_PROXIES: '127.0.0.1' };
  await withGateway(env, async (gateway) => {
    const sockets = [];
    try {
      assert.equal(await upgrade(gateway, from('192.0.2.1'), sockets), 101);
      assert.equal(await upgrade(gateway, from('192.0.2.1'), sockets), 101);
      assert.equal(await upgrade(gateway, from('192.0.2.1'), sockets), 429);
      assert.equal(await upgrade(gateway, from('192.0.2.2'), sockets), 101);
      assert.equal(await upgrade(gateway, from('192.0.2.2'), sockets), 101);
      const gone = new Promise((resolve) => sockets[0].once('close', resolve));
      sockets[0].destroy();
      await gone;
      let status = 429;
      for (let i = 0; i < 50 && status === 429; i += 1) status = await upgrade(gateway, from('192.0.2.1'), sockets);
      assert.equal(status, 101, 'a place that was left is free again');
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

wireTest('who comes through a proxy is not on this machine', async () => {
  await withGateway({ HOLDLINE_TRUSTED_PROXIES: '127.0.0.1' }, async (gateway) => {
    assert.equal((await gateway.request('/metrics')).status, 200);
    assert.notEqual((await gateway.request('/metrics', { headers: from('192.0.2.1') })).status, 200);
    const claimed = await gateway.request('/metrics', { headers: from('127.0.0.1, 192.0.2.1') });
    assert.notEqual(claimed.status, 200);
  });
});

wireTest('more lines than anybody needs are refused', async () => {
  await withGateway({}, async (gateway) => {
    const answer = await gateway.request('/livez', { headers: { 'x-forwarded-for': ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4', '5.5.5.5'] } });
    assert.equal(answer.status, 400);
  });
});

wireTest('a list that is none is refused at the start', async () => {
  const { code, stdout, stderr } = await holdline(['check'], { env: { HOLDLINE_TRUSTED_PROXIES: '10.0.0.0/33' } });
  assert.equal(code, 1);
  assert.match(stdout + stderr, /trusted_proxies/);
});
