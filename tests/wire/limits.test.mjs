// Bad input: each has a stable code, and leaves the connection usable unless its class says
// otherwise.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { Gateway } from '../support/gateway.mjs';
import { request } from '../support/http.mjs';
import { checkProblem, checkServerFrame } from '../support/schemas.mjs';
import { onEachTransport, useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway({
  env: {
    HOLDLINE_ORIGINS: 'https://shop.example',
    HOLDLINE_PUBS_PER_S: '20',
    HOLDLINE_PUBS_BURST: '30',
    HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX: '40',
    HOLDLINE_HELLO_MS: '4000',
    HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0',
  },
});

// Sends text outside of the client's own checks; resolves to the first answer that fits.
async function provoke(client, text, predicate) {
  const from = client.frames.length;
  if (client.link.kind === 'websocket') client.link.sendRaw(text);
  else {
    const { link } = client;
    const ask = () => {
      link.latest = ++link.rid;
      const token = JSON.stringify(client.token);
      const pos = JSON.stringify(client.pos());
      return link.sendRaw(`{"rid":${link.rid},"gen":${link.gen},"token":${token},"wait_ms":3000,"pos":${pos},"frames":[${text}]}`);
    };
    let answer = await ask();
    while (answer.json.superseded) answer = await ask(); // by the poll of the link itself
    assert.equal(answer.status, 200, answer.text);
    for (const frame of answer.json.frames) {
      checkServerFrame(frame);
      client.receive(frame);
    }
    link.send([{ t: 'ping' }]); // goes on polling
  }
  return client.waitFor(predicate, { from });
}

const WRONG = [
  ['{"t":"dance"}', 'unknown_frame'],
  ['{"no":"type"}', 'invalid_frame'],
  ['{"t":17}', 'invalid_frame'],
  ['17', 'invalid_frame'],
  ['{"t":"ack","o":-1}', 'invalid_field'],
  ['{"t":"ack","o":1.5}', 'invalid_field'],
  ['{"t":"ack"}', 'invalid_field'],
  ['{"t":"typing","on":"yes"}', 'invalid_field'],
  ['{"t":"hist","after":"x"}', 'invalid_field'],
  ['{"t":"hist","after":9007199254740993}', 'invalid_field'],
  ['{"t":"credit","n":0}', 'invalid_field'],
  ['{"t":"hist","c":"cnv_00000000000000000000000000000000","after":0}', 'unknown_conversation'],
];

onEachTransport('wrong frames are answered, and the link stays', async (t) => {
  const visitor = await t.connect(gateway);
  for (const [text, code] of WRONG) {
    const frame = await provoke(visitor, text, (f) => f.t === 'error' || f.t === 'bye');
    assert.deepEqual([frame.t, frame.problem.code], ['error', code], text);
    assert.ok(frame.problem.detail.length > 0);
  }
  assert.equal((await visitor.publish('still here')).o, 1);
});

const WRONG_PUBS = [
  [{ body: {} }, 'invalid_field'],
  [{ body: { text: '' } }, 'invalid_field'],
  [{ body: { text: 7 } }, 'invalid_field'],
  [{ body: 'text' }, 'invalid_field'],
  [{ kind: 'claimed', body: {} }, /invalid_field|forbidden/],
  [{ kind: 'note', body: { text: 'x' } }, /forbidden|invalid_field/],
  [{ body: { text: 'x'.repeat(17_000) } }, 'too_large'],
  [{ c: 'cnv_00000000000000000000000000000000', body: { text: 'x' } }, 'unknown_conversation'],
];

onEachTransport('wrong pubs are refused by their mid, and the link stays', async (t) => {
  const visitor = await t.connect(gateway);
  for (const [members, code] of WRONG_PUBS) {
    const mid = randomUUID();
    const text = JSON.stringify({ t: 'pub', mid, ...members });
    const answer = await provoke(visitor, text, (f) => f.mid === mid || f.t === 'error' || f.t === 'bye');
    assert.equal(answer.t, 'pub_no', `${text.slice(0, 80)}: ${JSON.stringify(answer)}`);
    assert.match(answer.problem.code, new RegExp(code));
  }
  assert.equal((await visitor.publish('still here')).o, 1);
});

onEachTransport('a mid that is none is refused', async (t) => {
  const visitor = await t.connect(gateway);
  for (const mid of ['', 'with space', 'x'.repeat(65), 'ümlaut', 7]) {
    const text = JSON.stringify({ t: 'pub', mid, body: { text: 'x' } });
    const answer = await provoke(visitor, text, (f) => f.t === 'error' || f.t === 'pub_no');
    assert.equal(answer.problem.code, 'invalid_field', text);
  }
  assert.equal((await visitor.publish('still here')).o, 1);
});

wireTest('text that is no JSON is answered, and the link stays', async (t) => {
  const visitor = await t.connect(gateway);
  for (const text of ['{"t":', '', 'hello', '{"t":"ping"} {"t":"ping"}', '{"t":"ping",}', '\u0000']) {
    const frame = await provoke(visitor, text, (f) => f.t === 'error' || f.t === 'bye');
    assert.deepEqual([frame.t, frame.problem.code], ['error', 'not_json'], text);
  }
  assert.equal((await visitor.publish('still here')).o, 1);
});

// Opens a bare socket with the subprotocol; resolves when it is open.
function bare(options) {
  const socket = new WebSocket(gateway.ws + '/v1/ws', 'holdline.v1', options);
  socket.frames = [];
  socket.on('message', (data) => {
    socket.frames.push(...[JSON.parse(String(data))].flat());
    socket.emit('frames');
  });
  socket.saw = async (fits) => {
    while (!socket.frames.some(fits)) await once(socket, 'frames');
  };
  socket.ended = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => reject(Object.assign(new Error(text), { status: response.statusCode, text, headers: response.headers })));
    });
  });
}

wireTest('a message above the limit ends the link with too_large', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'hello', v: 1 }));
  socket.send(JSON.stringify({ t: 'ping', ts: 'x'.repeat(70_000) }));
  const { code } = await socket.ended;
  assert.equal(code, 4002);
  const bye = socket.frames.find((f) => f.t === 'bye');
  assert.deepEqual([bye.name, bye.class, bye.problem.code], ['too_large', 'never', 'too_large']);
});

wireTest('invalid UTF-8 ends the link', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'hello', v: 1 }));
  const bytes = Buffer.concat([Buffer.from('{"t":"ping","ts":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
  socket.send(bytes, { binary: false });
  const { code } = await socket.ended;
  assert.ok(code === 4001 || code === 1007, `${code}`);
});

wireTest('a binary message ends the link', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'hello', v: 1 }));
  socket.send(Buffer.from('{"t":"ping"}'), { binary: true });
  const { code } = await socket.ended;
  assert.ok(code === 4003 || code === 1003, `${code}`);
});

wireTest('before hello nothing is answered but with hello_first', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'pub', mid: 'm', body: { text: 'x' } }));
  socket.send(JSON.stringify({ t: 'hello', v: 1 }));
  await socket.saw((f) => f.t === 'welcome');
  assert.deepEqual(socket.frames.slice(0, 2).map((f) => [f.t, f.problem?.code]), [['error', 'hello_first'], ['welcome', undefined]]);
  socket.close();
});

wireTest('a hello that does not come in time ends the link', async () => {
  const socket = await bare();
  const { code } = await socket.ended;
  assert.equal(code, 4105);
});

wireTest('another version is refused', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'hello', v: 2 }));
  const { code } = await socket.ended;
  assert.equal(code, 4005);
});

wireTest('an unknown site is refused', async () => {
  const socket = await bare();
  socket.send(JSON.stringify({ t: 'hello', v: 1, site: 'nowhere' }));
  const { code } = await socket.ended;
  assert.equal(code, 4015);
});

wireTest('too many mistakes end the link', async (t) => {
  const visitor = await t.connect(gateway);
  for (let i = 0; i < 30; i += 1) visitor.link.sendRaw('{"t":"dance"}');
  const why = await visitor.end();
  assert.deepEqual([why.bye.code, why.bye.name, why.bye.class], [4106, 'protocol_abuse', 'later']);
});

wireTest('a WebSocket without our subprotocol is refused', async () => {
  const socket = new WebSocket(gateway.ws + '/v1/ws', 'other.v1');
  const [status] = await new Promise((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve([response.statusCode]));
    socket.on('open', () => resolve(['open']));
    socket.on('error', () => resolve(['error']));
  });
  socket.terminate();
  assert.notEqual(status, 'open');
});

wireTest('only allowed origins are served', async () => {
  const refused = await bare({ headers: { origin: 'https://evil.example' } }).then(() => assert.fail('let in'), (e) => e);
  assert.equal(refused.status, 403);
  assert.equal(JSON.parse(refused.text).code, 'origin_forbidden');
  const socket = await bare({ headers: { origin: 'https://shop.example' } });
  socket.close();
  const body = { rid: 1, frames: [{ t: 'hello', v: 1 }] };
  const no = await request(gateway.url + '/v1/poll', { body, headers: { origin: 'https://evil.example' } });
  assert.deepEqual([no.status, no.json.code], [403, 'origin_forbidden']);
  assert.equal(no.headers['access-control-allow-origin'], undefined);
  const yes = await request(gateway.url + '/v1/poll', { body, headers: { origin: 'https://shop.example' } });
  assert.equal(yes.status, 200);
  assert.equal(yes.headers['access-control-allow-origin'], 'https://shop.example');
  assert.match(yes.headers.vary, /origin/i);
  const preflight = await request(gateway.url + '/v1/poll', {
    method: 'OPTIONS',
    headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers['access-control-allow-headers'], /content-type/i);
  assert.ok(Number(preflight.headers['access-control-max-age']) > 0);
});

onEachTransport('too many messages at once: refused with advice, later accepted', async (t) => {
  const visitor = await t.connect(gateway, { isPersistent: true });
  const sends = Array.from({ length: 60 }, (_, i) => visitor.publish(`m${i}`));
  const refused = await visitor.waitFor((f) => f.t === 'pub_no' && f.problem.code === 'too_fast');
  assert.ok(refused.problem.retryable);
  assert.ok(refused.problem.retry_ms > 0);
  const answers = await Promise.all(sends);
  assert.deepEqual(answers.map((a) => a.o), answers.map((_, i) => i + 1), 'all, in order, once');
});

wireTest('too many connections from one address: 429 with advice, the others stay', async (t) => {
  const visitor = await t.connect(gateway);
  const sockets = [];
  let refused;
  for (let i = 0; i < 60 && !refused; i += 1) {
    sockets.push(await bare().catch((e) => (refused = e)));
  }
  assert.ok(refused, 'one was refused');
  if (refused.status !== undefined) {
    assert.equal(refused.status, 429);
    assert.equal(JSON.parse(refused.text).code, 'too_many');
    assert.ok(refused.headers['retry-after']);
  }
  assert.equal((await visitor.publish('still here')).o, 1);
  for (const socket of sockets) socket.terminate?.();
});

// A raw exchange: writes text, resolves to all that comes back.
function raw(text) {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text));
    let got = '';
    socket.on('data', (chunk) => (got += chunk));
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });
}

wireTest('HTTP limits answer with problems', async () => {
  const large = await request(gateway.url + '/v1/enquiries', {
    body: JSON.stringify({ contact: {}, message: { text: 'x'.repeat(200_000) } }),
    headers: { 'idempotency-key': randomUUID() },
  });
  assert.deepEqual([large.status, large.json.code], [413, 'too_large']);
  const heads = await raw(`GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
  assert.match(heads, /^HTTP\/1\.1 431 /);
  const nothing = await request(gateway.url + '/v1/nothing');
  assert.deepEqual([nothing.status, nothing.json.code], [404, 'not_found']);
  checkProblem(nothing.json);
  assert.match(nothing.json.request_id, /^req_/);
});

wireTest('too many requests from one address: 429 with Retry-After', async () => {
  const small = await Gateway.start({ env: { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '5', HOLDLINE_REQUESTS_BURST: '5' } });
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, () => small.request('/v1/nothing')));
    const refused = answers.find((a) => a.status === 429);
    assert.ok(refused, 'one was refused');
    assert.equal(refused.json.code, 'too_fast');
    assert.ok(Number(refused.headers['retry-after']) >= 1);
  } finally {
    await small.remove();
  }
});
