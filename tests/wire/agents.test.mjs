// The agents' API over the wire: lists, transcripts, messages, claims, the live feed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventStream } from '../support/http.mjs';
import { checkApi } from '../support/openapi.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const keys = {};

// The keys are made once; a promise each, so that many can be made at once.
function keyOf(name) {
  keys[name] ??= gateway.key(name);
  return keys[name];
}

// One call, checked against openapi.yaml.
async function call(method, path, { name = 'ann', key, body, headers = {}, ...more } = {}) {
  const secret = key ?? (await keyOf(name));
  const authorization = secret ? { authorization: `Bearer ${secret}` } : {};
  const answer = await gateway.request(path, { method, body, headers: { ...authorization, ...headers }, ...more });
  checkApi(method, path, answer);
  return answer;
}

async function openConversation(t, texts = ['question']) {
  const visitor = await t.connect(gateway);
  for (const text of texts) await visitor.publish(text);
  return visitor;
}

const path = (visitor, rest = '') => `/v1/conversations/${visitor.c}${rest}`;

wireTest('the API is for keys only', async () => {
  for (const key of ['', 'hlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'nonsense']) {
    const answer = await call('GET', '/v1/conversations', { key });
    assert.deepEqual([answer.status, answer.json.code], [401, 'unauthorized']);
    assert.match(answer.headers['www-authenticate'], /^Bearer/);
  }
  const me = await call('GET', '/v1/agent');
  assert.equal(me.json.name, 'ann');
});

wireTest('conversations are listed, newest first, page by page', async (t) => {
  const visitors = [];
  for (let i = 0; i < 5; i += 1) visitors.push(await openConversation(t));
  const seen = [];
  let cursor = '';
  do {
    const page = await call('GET', `/v1/conversations?limit=2${cursor && `&cursor=${cursor}`}`);
    assert.equal(page.status, 200, page.text);
    assert.ok(page.json.data.length <= 2);
    seen.push(...page.json.data.map((c) => c.id));
    cursor = page.json.next_cursor;
  } while (cursor && seen.length < 5);
  assert.deepEqual(seen.slice(0, 5), visitors.map((v) => v.c).reverse());
});

wireTest('a conversation and its transcript', async (t) => {
  const visitor = await openConversation(t, ['one', 'two', 'three']);
  const answer = await call('GET', path(visitor));
  assert.deepEqual([answer.status, answer.json.status, answer.json.assignee, answer.json.head], [200, 'open', null, 3]);
  assert.equal(answer.headers.etag, answer.json.etag);
  const first = await call('GET', path(visitor, '/messages?limit=2'));
  assert.deepEqual(first.json.data.map((e) => [e.offset, e.body.text]), [[1, 'one'], [2, 'two']]);
  assert.equal(first.json.has_more, true);
  const rest = await call('GET', path(visitor, `/messages?after=${first.json.next_after}`));
  assert.deepEqual(rest.json.data.map((e) => e.offset), [3]);
  const back = await call('GET', path(visitor, '/messages?before=3&limit=1'));
  assert.deepEqual(back.json.data.map((e) => e.offset), [2]);
  const unknown = await call('GET', '/v1/conversations/cnv_00000000000000000000000000000000/messages');
  assert.deepEqual([unknown.status, unknown.json.code], [404, 'unknown_conversation']);
});

wireTest('a message is put once, whatever is repeated', async (t) => {
  const visitor = await openConversation(t);
  const id = randomUUID();
  const put = (text, more = {}) => call('PUT', path(visitor, `/messages/${id}`), { body: { text, ...more } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => put('answer')));
  assert.equal(answers.filter((a) => a.status === 201).length, 1);
  assert.ok(answers.every((a) => a.json.offset === 2));
  const other = await put('another answer');
  assert.deepEqual([other.status, other.json.code], [422, 'mid_conflict']);
  await visitor.level(2);
  assert.deepEqual(visitor.texts, ['question', 'answer']);
});

wireTest('a message is refused if something came meanwhile, and says what', async (t) => {
  const visitor = await openConversation(t, ['one', 'two']);
  const put = (seen) => call('PUT', path(visitor, `/messages/${randomUUID()}`), { body: { text: 'answer', if_seen: seen } });
  const stale = await put(1);
  assert.deepEqual([stale.status, stale.json.code, stale.json.head], [409, 'stale', 2]);
  assert.deepEqual(stale.json.missed.map((e) => e.body.text), ['two']);
  assert.equal((await put(2)).status, 201);
});

wireTest('of two agents who answer at once, one is told', async (t) => {
  const visitor = await openConversation(t);
  const names = ['ann', 'bob'];
  await Promise.all(names.map(keyOf));
  const answers = await Promise.all(
    names.map((name) => call('PUT', path(visitor, `/messages/${randomUUID()}`), { name, body: { text: name, if_seen: 1 } })),
  );
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, 409]);
});

wireTest('of 20 agents who claim at once, one wins', async (t) => {
  const visitor = await openConversation(t);
  const names = Array.from({ length: 20 }, (_, i) => `agent-${i}`);
  await Promise.all(names.map(keyOf));
  const answers = await Promise.all(
    names.map((name) => call('PUT', path(visitor, '/assignee'), { name, headers: { 'if-none-match': '*' } })),
  );
  const winners = answers.filter((a) => a.status === 200);
  assert.equal(winners.length, 1);
  assert.ok(answers.every((a) => a.status === 200 || (a.status === 412 && a.json.code === 'precondition_failed')));
  const now = await call('GET', path(visitor));
  assert.equal(now.json.assignee, winners[0].json.assignee);
  await visitor.until(() => visitor.frames.some((f) => f.t === 'msg' && f.kind === 'claimed'), 'claimed');
});

wireTest('a claim needs a condition; a release frees it', async (t) => {
  const visitor = await openConversation(t);
  const bare = await call('PUT', path(visitor, '/assignee'));
  assert.deepEqual([bare.status, bare.json.code], [428, 'precondition_required']);
  assert.equal((await call('PUT', path(visitor, '/assignee'), { headers: { 'if-none-match': '*' } })).status, 200);
  const released = await call('DELETE', path(visitor, '/assignee'));
  assert.deepEqual([released.status, released.json.assignee], [200, null]);
});

wireTest('a conversation is closed and reopened by its revision', async (t) => {
  const visitor = await openConversation(t);
  const before = (await call('GET', path(visitor))).json;
  const close = (etag) => call('PATCH', path(visitor), { body: { status: 'closed' }, headers: { 'if-match': etag } });
  const wrong = await close('"r999"');
  assert.deepEqual([wrong.status, wrong.json.code], [412, 'precondition_failed']);
  const closed = await close(before.etag);
  assert.deepEqual([closed.status, closed.json.status], [200, 'closed']);
  await visitor.publish('one more thing');
  assert.equal((await call('GET', path(visitor))).json.status, 'open', 'the visitor reopened it');
});

wireTest('a conversation has at most 50 custom fields', async (t) => {
  const visitor = await openConversation(t);
  const patch = async (fields) => {
    const { etag } = (await call('GET', path(visitor))).json;
    return call('PATCH', path(visitor), { body: { custom_fields: fields }, headers: { 'if-match': etag } });
  };
  const many = (from, n, value) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${from + i}`, value]));
  assert.equal((await patch(many(0, 40, 1))).status, 200);
  const over = await patch(many(40, 11, 'x'));
  assert.deepEqual([over.status, over.json.errors[0].pointer], [422, '/custom_fields']);
  assert.equal((await patch({ ...many(40, 11, 'x'), f0: null })).status, 200);
  const fields = Object.keys((await call('GET', path(visitor))).json.custom_fields);
  assert.equal(fields.length, 50);
});

wireTest('the feed by long-poll gives everything, once, in order', async (t) => {
  const start = (await call('GET', '/v1/events')).json.next_cursor;
  const waiting = call('GET', `/v1/events?cursor=${start}&wait=20`);
  const visitor = await openConversation(t, ['one', 'two', 'three']);
  const seen = [];
  for (let page = (await waiting).json; ; ) {
    seen.push(...page.data.filter((e) => e.conversation === visitor.c));
    if (seen.length >= 3) break;
    page = (await call('GET', `/v1/events?cursor=${page.next_cursor}&wait=5`)).json;
  }
  assert.deepEqual(seen.map((e) => [e.offset, e.body.text]), [[1, 'one'], [2, 'two'], [3, 'three']]);
  const again = await call('GET', `/v1/events?cursor=${start}&wait=0&limit=1`);
  assert.equal(again.json.data.length, 1);
  assert.equal(again.json.has_more, true);
});

wireTest('the feed as a stream goes on after a restart where it was', async (t) => {
  const headers = { authorization: `Bearer ${await keyOf('ann')}` };
  const start = (await call('GET', '/v1/events')).json.next_cursor;
  let stream = new EventStream(`${gateway.url}/v1/events?cursor=${start}`, { headers });
  const { status, headers: head } = await stream.opened;
  assert.equal(status, 200);
  assert.match(head['content-type'], /^text\/event-stream/);
  const visitor = await openConversation(t, ['one']);
  const one = await stream.next();
  assert.deepEqual([one.data.conversation, one.data.body.text], [visitor.c, 'one']);
  await gateway.restart();
  stream.close();
  await visitor.attach();
  await visitor.publish('two');
  stream = new EventStream(`${gateway.url}/v1/events`, { headers: { ...headers, 'last-event-id': one.id } });
  const two = await stream.next();
  assert.equal(two.data.body.text, 'two');
  stream.close();
});

wireTest('a cursor of another epoch is refused with where to start', async () => {
  const start = (await call('GET', '/v1/events')).json.next_cursor;
  const [epoch, position] = start.split('.');
  const answer = await call('GET', `/v1/events?cursor=${Number(epoch) + 1}.${position}`);
  assert.deepEqual([answer.status, answer.json.code], [410, 'cursor_expired']);
  assert.ok(answer.json.resync_from);
});

wireTest('positions of readers', async (t) => {
  const visitor = await openConversation(t, ['one', 'two']);
  const put = await call('PUT', path(visitor, '/positions/me'), { body: { read: 2 } });
  assert.equal(put.status, 200);
  const { json } = await call('GET', path(visitor, '/positions'));
  assert.ok(json.data.some((p) => p.role === 'agent' && p.read === 2), JSON.stringify(json));
  const own = (await call('GET', '/v1/agent')).json.id;
  assert.equal((await call('PUT', path(visitor, `/positions/${own}`), { body: { read: 2 } })).status, 200);
  const others = await call('PUT', path(visitor, `/positions/agt_${'0'.repeat(32)}`), { body: { read: 2 } });
  assert.equal(others.status, 403);
  const beyond = await call('PUT', path(visitor, '/positions/me'), { body: { read: 9 } });
  assert.deepEqual([beyond.status, beyond.json.code], [422, 'invalid_field']);
});

wireTest('a revoked key is refused within five seconds', async () => {
  const { holdline } = await import('../support/gateway.mjs');
  const key = await gateway.key('leaver');
  assert.equal((await call('GET', '/v1/agent', { key })).status, 200);
  const list = await holdline(['key', 'list', '--data', gateway.data, '--json']);
  const entry = JSON.parse(list.stdout).keys.find((k) => k.name === 'leaver');
  const revoked = await holdline(['key', 'revoke', '--data', gateway.data, entry.id]);
  assert.equal(revoked.code, 0, revoked.stderr);
  let status = 200;
  const until = Date.now() + 5000; // the promise is five seconds
  while (status === 200 && Date.now() < until) {
    status = (await call('GET', '/v1/agent', { key })).status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(status, 401);
});

wireTest('a revoked key ends its WebSocket and its feed', async (t) => {
  const { holdline } = await import('../support/gateway.mjs');
  const key = await gateway.key('mole');
  const agent = await t.connect(gateway, { key });
  const me = await call('GET', '/v1/agent', { key });
  const feed = await call('GET', '/v1/events', { key });
  const parked = call('GET', `/v1/events?cursor=${feed.json.next_cursor}&wait=20`, { key });
  const revoked = await holdline(['key', 'revoke', '--data', gateway.data, me.json.id]);
  assert.equal(revoked.code, 0, revoked.stderr);
  const bye = await agent.waitForType('bye');
  assert.deepEqual([bye.problem.code, bye.class], ['unauthorized', 'never']);
  assert.equal((await parked).status, 401);
});

wireTest('of two keys of an agent the revoked one ends what it opened', async (t) => {
  const { holdline } = await import('../support/gateway.mjs');
  const first = await gateway.key('twin');
  const me = await call('GET', '/v1/agent', { key: first });
  const second = await gateway.key('laptop', ['--agent', me.json.id]);
  const lost = await t.connect(gateway, { key: first });
  const kept = await t.connect(gateway, { key: second });
  const listed = await holdline(['key', 'list', '--data', gateway.data, '--json']);
  const [{ key }] = JSON.parse(listed.stdout).keys.filter(({ id }) => id === me.json.id);
  assert.equal((await holdline(['key', 'revoke', '--data', gateway.data, key])).code, 0);
  const bye = await lost.waitForType('bye');
  assert.equal(bye.problem.code, 'unauthorized');
  assert.equal((await call('GET', '/v1/agent', { key: first })).status, 401);
  assert.equal((await call('GET', '/v1/agent', { key: second })).json.id, me.json.id);
  assert.ok(!kept.ended && !kept.frames.some((frame) => frame.t === 'bye'));
});
