// The SDK against a scripted gateway, by a clock that is moved by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundleSdk } from './bundle.mjs';
import { entry, FakeClock, FakeGateway, problem, settle, WELCOME } from './scripted.mjs';

let sdk;
let Holdline;
before(async () => {
  sdk = await bundleSdk();
  ({ Holdline } = await import(sdk.esm));
});
after(() => sdk.remove());

function memory(values = new Map()) {
  return { values, getItem: (k) => values.get(k) ?? null, setItem: (k, v) => values.set(k, v), removeItem: (k) => values.delete(k) };
}

async function begin(options = {}) {
  const clock = options.clock ?? new FakeClock();
  const gateway = options.gateway ?? new FakeGateway();
  const storage = options.storage ?? memory();
  const chat = new Holdline({ url: 'http://gateway', WebSocket: gateway.WebSocket, fetch: gateway.fetch, random: () => 0.5, ...options, clock, storage });
  const got = [];
  const gaps = [];
  const errors = [];
  chat.on('message', ({ offset }) => got.push(offset)).on('gap', (gap) => gaps.push(gap)).on('error', ({ code }) => errors.push(code));
  const conversation = await chat.start();
  await settle();
  return { chat, clock, gateway, storage, conversation, got, gaps, errors };
}

async function level(options) {
  const all = await begin(options);
  all.gateway.socket.greet();
  await settle();
  assert.equal(all.chat.state, 'connected');
  return all;
}

test('a WebSocket that does not answer within 4 s, twice, is given up for long-poll', async () => {
  const { chat, clock, gateway } = await begin();
  await clock.pass(3999);
  assert.equal(gateway.sockets.length, 1);
  await clock.pass(1 + 250);
  assert.equal(gateway.sockets.length, 2);
  await clock.pass(4000 + 500);
  assert.equal(gateway.polls.length, 1);
  gateway.poll.answer(200, { rid: gateway.poll.body.rid, gen: 1, more: false, frames: [WELCOME, { t: 'synced', c: 'cnv_1', o: 0 }] });
  await settle();
  assert.equal(chat.state, 'degraded');
});

test('one that has worked before is tried four times', async () => {
  const { clock, gateway } = await level();
  gateway.isRefusing = true;
  gateway.socket.end(1006);
  await clock.pass(20_000);
  assert.equal(gateway.sockets.length, 5);
  assert.ok(gateway.polls.length > 0);
});

test('while polling, a WebSocket is tried every five minutes without touching the session', async () => {
  const { chat, clock, gateway } = await begin();
  gateway.isRefusing = true;
  gateway.socket.end(1006);
  await clock.pass(1000);
  gateway.isRefusing = false;
  const answer = (frames = []) => gateway.poll.answer(200, { rid: gateway.poll.body.rid, gen: 1, more: false, frames });
  answer([WELCOME]);
  await clock.pass(0);
  const before = gateway.sockets.length;
  for (let ms = 0; ms < 299_000; ms += 23_000) {
    await clock.pass(23_000);
    assert.equal(gateway.sockets.length, before);
    answer();
  }
  await clock.pass(2000);
  const probe = gateway.socket;
  probe.open();
  assert.deepEqual(probe.sent, [{ t: 'ping' }]);
  probe.say({ t: 'error', problem: problem('hello_first', false) });
  await settle();
  assert.notEqual(gateway.socket, probe);
  gateway.socket.greet();
  await settle();
  assert.equal(chat.state, 'connected');
});

test('silence for the ping interval and ten seconds ends a link', async () => {
  const { chat, clock, gateway } = await level();
  await clock.pass(34_999);
  assert.equal(chat.state, 'connected');
  await clock.pass(1);
  assert.equal(chat.state, 'connecting');
  await clock.pass(250);
  assert.equal(gateway.sockets.length, 2);
});

test('the wait doubles up to its bound, and is never shorter than the gateway asks', async () => {
  const { clock, gateway } = await begin({ transports: ['websocket'] });
  gateway.isRefusing = true;
  gateway.socket.end(1006);
  const starts = [];
  let seen = 1;
  for (let ms = 0; ms < 120_000; ms += 50) {
    await clock.pass(50);
    for (; seen < gateway.sockets.length; seen += 1) starts.push(clock.now());
  }
  const waits = starts.map((at, i) => at - (starts[i - 1] ?? 0));
  assert.ok(Math.abs(waits[0] - 250) <= 100 && Math.abs(waits[3] - 2000) <= 100, String(waits));
  assert.ok(waits.slice(6).every((wait) => Math.abs(wait - 10_000) <= 100), String(waits));
});

test('bye says when to come back', async () => {
  const { chat, clock, gateway, errors } = await level();
  gateway.socket.say({ t: 'bye', code: 4101, name: 'busy', class: 'later', retry_ms: 30_000, problem: problem('busy', true) });
  gateway.socket.end(4101);
  await clock.pass(29_999);
  assert.equal(gateway.sockets.length, 1);
  await clock.pass(1000);
  assert.equal(gateway.sockets.length, 2);
  gateway.socket.open();
  gateway.socket.say({ t: 'bye', code: 4013, name: 'forbidden', class: 'never', problem: problem('forbidden', false) });
  gateway.socket.end(4013);
  await clock.pass(600_000);
  assert.equal(gateway.sockets.length, 2);
  assert.deepEqual([chat.state, errors], ['disconnected', ['forbidden']]);
  await assert.rejects(chat.ready(), { code: 'forbidden' });
});

test('drain: a new link at a random moment of the window', async () => {
  const { clock, gateway } = await level();
  gateway.socket.say({ t: 'drain', window_ms: 5000, deadline_ms: 10_000 });
  await clock.pass(2499);
  assert.equal(gateway.sockets.length, 1);
  await clock.pass(1);
  assert.equal(gateway.sockets.length, 2);
});

test('replaced: comes back three times, then says so', async () => {
  const { chat, clock, gateway, errors } = await level();
  for (let i = 0; i < 4; i += 1) {
    if (i) gateway.socket.greet();
    gateway.socket.say({ t: 'bye', code: 4020, name: 'replaced', class: 'never', problem: problem('replaced', false) });
    gateway.socket.end(4020);
    await clock.pass(i < 3 ? 3000 : 0);
  }
  assert.deepEqual([chat.state, errors], ['disconnected', ['replaced']]);
  chat.connect();
  await settle();
  gateway.socket.greet();
  await settle();
  assert.equal(chat.state, 'connected');
});

test('a token that is not good any more: a new visitor, and the outbox goes along', async () => {
  const { gateway, conversation, clock, gaps } = await level();
  gateway.socket.say(entry(1, 'a'));
  conversation.send('kept');
  await settle();
  gateway.socket.say({ t: 'bye', code: 4012, name: 'token_expired', class: 'never', problem: problem('token_expired', false) });
  gateway.socket.end(4012);
  await clock.pass(0);
  gateway.socket.open();
  assert.equal(gateway.socket.of('hello')[0].token, undefined);
  gateway.socket.say({ ...WELCOME, token: 'token-2', conv: [{ ...WELCOME.conv[0], c: 'cnv_2' }] });
  assert.deepEqual(gateway.socket.of('pub').map(({ body }) => body.text), ['kept']);
  assert.deepEqual(gaps, [{ from: 1, to: 1, reason: 'reset' }]);
});

test('entries are delivered once and in order; a hole is held and filled', async () => {
  const { gateway, got, gaps, conversation } = await level();
  const { socket } = gateway;
  socket.say(entry(1, 'a'), entry(1, 'a'), entry(3, 'c'), entry(4, 'd'));
  assert.deepEqual(got, [1]);
  assert.deepEqual(gaps, [{ from: 2, to: 2, reason: 'hole' }]);
  assert.equal(socket.of('hist')[0].after, 1);
  socket.say(entry(2, 'b'), entry(3, 'c'), entry(4, 'd'), entry(6, 'f', { after: 4 }));
  assert.deepEqual(got, [1, 2, 3, 4, 6]);
  socket.say({ t: 'gap', c: 'cnv_1', e: '1', from: 7, to: 9, why: 'trimmed', next: 10 }, entry(10, 'j'));
  assert.deepEqual(got, [1, 2, 3, 4, 6, 10]);
  assert.deepEqual([conversation.position, conversation.unread], [10, 6]);
});

test('heads of a ping show what got lost; reset brings everything again', async () => {
  const { gateway, got, gaps, clock } = await level();
  gateway.socket.say(entry(1, 'a'), { t: 'ping', ts: 'x', heads: [{ c: 'cnv_1', o: 2 }] });
  assert.equal(gateway.socket.of('hist')[0].after, 1);
  assert.equal(gateway.socket.of('pong').length, 1);
  gateway.socket.end(1006);
  await clock.pass(250);
  gateway.socket.open();
  assert.deepEqual(gateway.socket.of('hello')[0].pos, [{ c: 'cnv_1', e: '1', o: 1 }]);
  gateway.socket.say({ ...WELCOME, conv: [{ ...WELCOME.conv[0], verdict: 'reset', e: '2' }] }, entry(1, 'z', { e: '2' }));
  assert.deepEqual(got, [1, 1]);
  assert.deepEqual(gaps, [{ from: 1, to: 1, reason: 'reset' }]);
});

test('what was said is kept before it is sent, and sent again until it is confirmed', async () => {
  const { gateway, conversation, clock, storage } = await level();
  const pending = conversation.send('hello');
  assert.equal(pending.state, 'queued');
  assert.equal(gateway.socket.of('pub').length, 0);
  await settle();
  assert.match(storage.values.get('holdline:default:outbox'), /hello/);
  assert.equal(pending.state, 'sent');
  await clock.pass(5000);
  const [first, again] = gateway.socket.of('pub');
  assert.deepEqual(first, again);
  gateway.socket.say({ t: 'pub_ok', mid: first.mid, seq: 1, c: 'cnv_1', e: '1', o: 1, ts: 'x', dup: false, dur: 'local' });
  assert.equal((await pending.acked).offset, 1);
  await settle();
  assert.equal(storage.values.get('holdline:default:outbox'), undefined);
});

test('refusals: for good, for a while, out of order, and before sending', async () => {
  const { gateway, conversation, clock } = await level();
  const [bad, slow, next] = ['bad', 'slow', 'next'].map((text) => conversation.send(text));
  await settle();
  const { socket } = gateway;
  socket.say({ t: 'pub_no', mid: bad.clientId, seq: 1, problem: problem('invalid_field', false) });
  await assert.rejects(bad.acked, { code: 'invalid_field', retryable: false });
  socket.say({ t: 'pub_no', mid: slow.clientId, seq: 2, problem: problem('too_fast', true, { retry_ms: 300 }) });
  socket.say({ t: 'pub_no', mid: next.clientId, seq: 3, want: 2, problem: problem('out_of_order', true) });
  await clock.pass(300);
  assert.deepEqual(socket.of('pub').slice(3).map(({ body, seq }) => [body.text, seq]), [['slow', 2], ['next', 3]]);
  await assert.rejects(conversation.send('x'.repeat(20_000)).acked, { code: 'too_large' });
  assert.equal(bad.cancel(), true);
  assert.deepEqual(conversation.pending.map(({ state }) => state), ['sent', 'sent', 'failed']);
  assert.equal(slow.cancel(), false);
});

test('after seven days a message has failed, and can be tried again', async () => {
  const storage = memory();
  const clock = new FakeClock();
  const first = await begin({ storage, clock });
  first.conversation.send('old');
  await settle();
  await first.chat.destroy();
  clock.wallMs += 7 * 86_400_000 + 1000;
  const { conversation, gateway } = await begin({ storage, clock });
  const [old] = conversation.pending;
  assert.deepEqual([old.state, old.error.code], ['failed', 'outbox_expired']);
  gateway.socket.greet();
  await settle();
  assert.equal(gateway.socket.of('pub').length, 0);
  old.retry();
  await settle();
  assert.equal(gateway.socket.of('pub').length, 1);
});

test('a clock that is set back harms nothing', async () => {
  const clock = new FakeClock();
  const { gateway, conversation } = await begin({ clock, transports: ['longpoll'] });
  const { rid } = gateway.poll.body;
  gateway.poll.answer(200, { rid, gen: 1, more: false, frames: [WELCOME] });
  clock.wallMs -= 86_400_000;
  conversation.send('a');
  await clock.pass(100);
  assert.ok(gateway.poll.body.rid > rid);
  assert.equal(gateway.poll.body.frames.find(({ t }) => t === 'pub').body.text, 'a');
});

test('of several gateways the first to answer is told hello', async () => {
  const { gateway, clock } = await begin({ url: ['http://a', 'http://b'] });
  await clock.pass(300);
  assert.equal(gateway.sockets.length, 2);
  const [slow, fast] = gateway.sockets;
  fast.greet();
  assert.equal(fast.of('hello').length, 1);
  assert.equal(slow.readyState, 3);
});

test('half characters and U+0000 do not stop the rest', async () => {
  const { gateway, conversation } = await level();
  conversation.send('a\u0000b\ud800');
  await settle();
  assert.equal(gateway.socket.of('pub')[0].body.text, 'a\ufffdb\ufffd');
});

test('an enquiry keeps its key until it is answered', async () => {
  const storage = memory();
  const { chat, gateway, clock } = await begin({ storage, transports: ['websocket'] });
  const sent = chat.enquire({ message: { text: 'call me' } });
  await settle();
  const { init } = gateway.poll;
  gateway.poll.answer(503, problem('busy', true), { 'retry-after': '2' });
  await clock.pass(1999);
  assert.equal(gateway.polls.length, 1);
  await clock.pass(500);
  assert.equal(gateway.poll.init.headers['idempotency-key'], init.headers['idempotency-key']);
  gateway.poll.answer(200, { reference: 'HL-1', conversation: 'cnv_9', duplicate: false });
  assert.equal((await sent).reference, 'HL-1');
  assert.equal(storage.values.has('holdline:default:enquiries'), false);
});
