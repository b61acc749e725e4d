// The console's client of the agent API: nodes, retries, read-your-writes, and the outbox.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { load } from './source.mjs';

globalThis.crypto ??= webcrypto; // Node 18 has none there

const { Client, faultAt, faultsOf, Nodes, normalise, Once, Outbox, patchOf, Place, Problem, isProblem, queryOf } = await load(
  'api/client.ts', 'api/nodes.ts', 'api/outbox.ts', 'api/place.ts', 'api/problem.ts', 'api/conversations.ts',
  'api/faults.ts', 'api/once.ts', 'api/patch.ts',
);

const problem = (status, code, more = {}) =>
  new Problem({ title: code, detail: code, status, code, retryable: status === 0 || status >= 500, request_id: '', ...more });

const answer = (status, body, headers = {}) => ({
  ok: status < 300, status, headers: new Headers(headers), json: async () => body,
});

function makeClient(answers, { nodes = new Nodes('http://a'), token = null, ...more } = {}) {
  const calls = [];
  const client = new Client({
    nodes,
    credentials: { token },
    fetch: async (url, options) => {
      calls.push({ url, ...options });
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    ...more,
  });
  return { client, calls };
}

class Shelf {
  kept = new Map();
  get length() {
    return this.kept.size;
  }
  key(i) {
    return [...this.kept.keys()][i] ?? null;
  }
  getItem(name) {
    return this.kept.get(name) ?? null;
  }
  setItem(name, value) {
    if (this.isFull) throw new Error('full');
    this.kept.set(name, value);
  }
  removeItem(name) {
    this.kept.delete(name);
  }
}

// An outbox whose writes are answered by hand.
function makeOutbox(storage = new Shelf(), prefix = 'id') {
  const writes = [];
  const stored = [];
  let ids = 0;
  let changed = () => {};
  const outbox = new Outbox({
    storage,
    name: 'outbox',
    newId: () => `${prefix}-${(ids += 1)}`,
    write: (item) => new Promise((resolve, reject) => {
      writes.push({ item, resolve: () => resolve({ offset: writes.length, client_id: item.clientId, ts: '', visibility: item.visibility }), reject });
      changed();
    }),
    onChange: () => changed(),
    onStored: (item) => stored.push(item.clientId),
  });
  const until = (condition) => new Promise((resolve) => {
    const look = () => condition() && resolve();
    changed = look;
    look();
  });
  return { outbox, writes, stored, storage, until };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a node that cannot be reached is left, and the call is made at the next', async () => {
  const nodes = new Nodes('http://a', ['http://b', 'http://a']);
  const { client, calls } = makeClient([new TypeError('refused'), answer(200, { ok: true })], { nodes });
  assert.deepEqual(await client.call('/v1/agent'), { ok: true });
  assert.deepEqual(calls.map(({ url }) => url), ['http://a/v1/agent', 'http://b/v1/agent']);
  nodes.fail('http://a'); // left long ago
  assert.equal(nodes.current, 'http://b');
});

test('addresses of nodes are taken as people type them', () => {
  assert.equal(normalise(' chat.example/console '), 'https://chat.example');
  assert.equal(normalise('http://10.0.0.1:8080'), 'http://10.0.0.1:8080');
  assert.equal(normalise('javascript://alert(1)'), null);
  assert.equal(normalise('::'), null);
});

test('a read asks for at least what was written', async () => {
  const { client, calls } = makeClient([answer(200, {}, { 'holdline-position': '3.17' }), answer(200, {}), answer(200, {})]);
  await client.call('/v1/x', { method: 'PUT', body: {} });
  await client.call('/v1/x');
  client.place.note('3.12');
  await client.call('/v1/x');
  assert.equal(calls[0].headers['holdline-min-position'], undefined);
  assert.equal(calls[1].headers['holdline-min-position'], '3.17');
  assert.equal(calls[2].headers['holdline-min-position'], '3.17');
});

test('a position of another epoch counts, whatever its number', () => {
  const place = new Place();
  place.note('1.900');
  place.note('2.5');
  assert.equal(place.text, '2.5');
  place.note('nonsense');
  place.note(null);
  assert.equal(place.text, '2.5');
  place.forget();
  assert.equal(place.text, null);
});

test('what is not retryable is not repeated, and says what was wrong', async () => {
  const document = { code: 'precondition_failed', title: 't', detail: 'taken', status: 412, retryable: false, request_id: 'r', assignee_name: 'Ben' };
  const { client, calls } = makeClient([answer(412, document)]);
  await assert.rejects(client.call('/v1/x'), (error) => isProblem(error, 'precondition_failed') && error.document.assignee_name === 'Ben');
  assert.equal(calls.length, 1);
});

test('an answer that is no problem document counts by its status', async () => {
  const page = { ...answer(502), json: async () => JSON.parse('<html>') };
  const { client, calls } = makeClient([page, answer(200, 1)]);
  assert.equal(await client.call('/v1/x'), 1);
  assert.equal(calls.length, 2);
});

test('the end of a session is told, and a key goes with each call', async () => {
  let ended = 0;
  const document = { code: 'unauthorized', title: '', detail: '', status: 401, retryable: false, request_id: '' };
  const { client, calls } = makeClient([answer(401, document)], { token: 'hlk_x', onSignedOut: () => (ended += 1) });
  await assert.rejects(client.call('/v1/x'));
  assert.equal(ended, 1);
  assert.equal(calls[0].headers.authorization, 'Bearer hlk_x');
});

test('queries leave out what is not given and repeat lists', () => {
  assert.equal(queryOf({ status: 'open', q: '', tag: ['a', 'b&c'], cursor: undefined }), '?status=open&tag=a&tag=b%26c');
  assert.equal(queryOf({}), '');
});

test('a reply is stored before it is sent, under one id for all tries', async () => {
  const { outbox, writes, storage, stored, until } = makeOutbox();
  outbox.add('cnv_a', { text: 'hello', visibility: 'public', if_seen: 4 });
  assert.equal(JSON.parse(storage.getItem('outbox.id-1')).text, 'hello');
  await until(() => writes.length === 1);
  writes[0].reject(problem(0, 'unreachable'));
  await settle();
  outbox.flush(); // the network is back: waits no longer
  await until(() => writes.length === 2);
  assert.equal(writes[1].item.clientId, writes[0].item.clientId);
  writes[1].resolve();
  await until(() => outbox.items.length === 0);
  await settle();
  assert.deepEqual(stored, ['id-1']);
  assert.equal(storage.length, 0);
});

test('what was not confirmed is sent by the next page, with the same id', async () => {
  const first = makeOutbox();
  first.outbox.add('cnv_a', { text: 'typed in an outage', visibility: 'public' });
  first.outbox.stop();
  const second = makeOutbox(first.storage);
  second.outbox.flush();
  await second.until(() => second.writes.length === 1);
  assert.equal(second.writes[0].item.clientId, 'id-1');
});

test('two tabs of one agent keep each other\'s replies', async () => {
  const first = makeOutbox();
  const second = makeOutbox(first.storage, 'other');
  first.outbox.add('cnv_a', { text: 'x', visibility: 'public' });
  second.outbox.add('cnv_b', { text: 'y', visibility: 'public' });
  await second.until(() => second.writes.length === 1);
  second.writes[0].resolve();
  await second.until(() => second.outbox.items.length === 0);
  assert.deepEqual(makeOutbox(first.storage).outbox.items.map(({ text }) => text), ['x']);
  first.outbox.stop();
});

test('replies of one conversation keep their order; another conversation does not wait', async () => {
  const { outbox, writes, until } = makeOutbox();
  outbox.add('cnv_a', { text: '1', visibility: 'public' });
  outbox.add('cnv_a', { text: '2', visibility: 'public' });
  outbox.add('cnv_b', { text: '3', visibility: 'public' });
  await until(() => writes.length === 2);
  assert.deepEqual(writes.map(({ item }) => item.text), ['1', '3']);
  writes[0].resolve();
  await until(() => writes.length === 3);
  assert.equal(writes[2].item.text, '2');
});

test('a stale reply waits for a decision, and shows what came in between', async () => {
  const { outbox, writes, until } = makeOutbox();
  outbox.add('cnv_a', { text: 'yes', visibility: 'public', if_seen: 4 });
  outbox.add('cnv_a', { text: 'and no', visibility: 'public', if_seen: 4 });
  await until(() => writes.length === 1);
  writes[0].reject(problem(409, 'stale', { head: 5, missed: [{ offset: 5 }] }));
  await until(() => outbox.items[0]?.failure);
  await settle();
  assert.equal(writes.length, 1, 'nothing overtakes it');
  assert.equal(outbox.items[0].failure.head, 5);
  outbox.retry('id-1', 5);
  await until(() => writes.length === 2);
  assert.deepEqual([writes[1].item.clientId, writes[1].item.if_seen], ['id-1', 5]);
  writes[1].resolve();
  await until(() => writes.length === 3);
});

test('only what was refused can be taken back', async () => {
  const { outbox, writes, until } = makeOutbox();
  outbox.add('cnv_a', { text: 'x', visibility: 'public' });
  await until(() => writes.length === 1);
  assert.equal(outbox.drop('id-1'), undefined);
  writes[0].reject(problem(410, 'conversation_erased'));
  await until(() => outbox.items[0]?.failure);
  assert.equal(outbox.drop('id-1').text, 'x');
  assert.equal(outbox.items.length, 0);
});

test('the feed confirms what an answer was lost for', async () => {
  const { outbox, writes, until } = makeOutbox();
  outbox.add('cnv_a', { text: 'x', visibility: 'public' });
  await until(() => writes.length === 1);
  outbox.confirm(new Set(['id-1']));
  assert.equal(outbox.items.length, 0);
});

test('a browser that stores nothing is told of', () => {
  const storage = new Shelf();
  storage.isFull = true;
  const { outbox } = makeOutbox(storage);
  outbox.add('cnv_a', { text: 'x', visibility: 'public' });
  assert.equal(outbox.isDurable, false);
  assert.equal(outbox.items.length, 1);
  outbox.stop();
});

test('a merge patch holds only what was changed', () => {
  const before = { name: 'a', sla: { first: 1, next: null }, list: [1, 2], consent: { text: 'x' }, gone: 1 };
  assert.deepEqual(patchOf(before, before), {});
  assert.deepEqual(patchOf(before, { name: 'a', sla: { first: 1, next: 5 }, list: [1], consent: null }), { sla: { next: 5 }, list: [1], consent: null, gone: null });
});

test('faults are found at their field, or at the field around them', () => {
  const faults = faultsOf(problem(422, 'invalid_request', { errors: [{ pointer: '/origins/3', detail: 'no origin' }, { pointer: '/name' }] }));
  assert.equal(faultAt(faults, '/origins'), 'no origin');
  assert.equal(faultAt(faults, '/name'), 'invalid_request');
  assert.equal(faultAt(faults, '/nam'), undefined);
  assert.equal(faultsOf(new Error('x')).size, 0);
});

test('an Idempotency-Key stays while the same is asked for, until it is made', () => {
  const once = new Once();
  const key = once.keyFor({ name: 'a' });
  assert.equal(once.keyFor({ name: 'a' }), key);
  assert.notEqual(once.keyFor({ name: 'b' }), key);
  const last = once.keyFor({ name: 'b' });
  once.done();
  assert.notEqual(once.keyFor({ name: 'b' }), last);
});
