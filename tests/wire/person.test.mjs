// What is done for a person: an export of everything, an erasure for ever.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Gateway, holdline } from '../support/gateway.mjs';
import { onEachTransport, useGateway, wireTest } from '../support/suite.mjs';

const FAST = { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' };
const gateway = useGateway({ env: FAST });
const DONE_MS = 30_000;

async function asAdmin(at, method, path, body, headers = {}) {
  at.admin ??= at.key('root', ['--role', 'admin']);
  const authorization = `Bearer ${await at.admin}`;
  return at.request(path, { method, body, headers: { authorization, ...headers } });
}

const post = (at, path, body, key = randomUUID()) => asAdmin(at, 'POST', path, body, { 'idempotency-key': key });
const get = (at, path) => asAdmin(at, 'GET', path);

async function enquire(at, email, text) {
  const body = { contact: { name: 'Jo Doe', email }, message: { text } };
  const answer = await at.request('/v1/enquiries', { method: 'POST', body, headers: { 'idempotency-key': randomUUID() } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.conversation;
}

async function whenDone(at, path) {
  const deadline = Date.now() + DONE_MS;
  for (;;) {
    const { status, json, text } = await get(at, path);
    assert.equal(status, 200, text);
    if (json.status === 'done') return json;
    assert.ok(Date.now() < deadline, `not done: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Every file of the data folder, sidecars too.
function filesHold(folder, text) {
  return readdirSync(folder).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

wireTest('an erasure leaves the places and takes the content', async () => {
  const word = `canary${randomUUID().replaceAll('-', '')}`;
  const email = `${word}@example.com`;
  const mine = [await enquire(gateway, email, `my ${word} one`), await enquire(gateway, email.toUpperCase(), `my ${word} two`)];
  const other = await enquire(gateway, 'somebody@example.com', 'another one');
  const asked = await post(gateway, '/v1/erasures', { email, reason: 'asked for by letter' });
  assert.equal(asked.status, 202, asked.text);
  assert.equal(asked.json.n_conversations, 2);
  assert.ok(!asked.text.includes(word), 'the record does not name the person');
  assert.equal(asked.headers.location, `/v1/erasures/${asked.json.id}`);
  const done = await whenDone(gateway, asked.headers.location);
  assert.deepEqual(done.certificate.conversations.map((c) => c.id).sort(), [...mine].sort());
  assert.ok(done.certificate.conversations.every((c) => c.entries === c.erased_offset - 1 && c.position > 0));
  assert.match(done.certificate.subject_hash, /^[0-9a-f]{64}$/);
  for (const id of mine) {
    const { json } = await get(gateway, `/v1/conversations/${id}/messages`);
    const last = json.data.at(-1);
    assert.deepEqual([last.kind, last.body.request, last.erased], ['erased', asked.json.id, undefined]);
    assert.ok(json.data.slice(0, -1).every((e) => e.erased === true && Object.keys(e.body).length === 0));
    const late = await asAdmin(gateway, 'PUT', `/v1/conversations/${id}/messages/${randomUUID()}`, { body: { text: 'late' } });
    assert.deepEqual([late.status, late.json.code], [410, 'conversation_erased']);
  }
  const { json } = await get(gateway, `/v1/conversations/${other}/messages`);
  assert.ok(json.data.every((entry) => !entry.erased));
  const found = await get(gateway, `/v1/conversations?q=${word}`);
  assert.equal(found.json.data.length, 0);
  assert.deepEqual(filesHold(gateway.data, word), [], 'no file holds a word of it');
  for (const action of ['erasure.created', 'erasure.done']) {
    const audit = await get(gateway, `/v1/audit?action=${action}`);
    assert.ok(audit.json.data.some((event) => event.object === asked.json.id), action);
  }
  const verified = JSON.parse((await holdline(['verify', '--data', gateway.data, '--json'])).stdout);
  assert.deepEqual([verified.ok, verified.erased >= 2], [true, true]);
});

wireTest('a request is recorded once, and only for those who may', async () => {
  const conversation = await enquire(gateway, 'once@example.com', 'one');
  const key = randomUUID();
  const body = { conversation, reason: 'twice' };
  const first = await post(gateway, '/v1/erasures', body, key);
  const again = await post(gateway, '/v1/erasures', body, key);
  assert.deepEqual([again.status, again.json.id, again.headers['idempotent-replayed']], [202, first.json.id, 'true']);
  const changed = await post(gateway, '/v1/erasures', { ...body, reason: 'other' }, key);
  assert.deepEqual([changed.status, changed.json.code], [422, 'idempotency_mismatch']);
  const without = await asAdmin(gateway, 'POST', '/v1/erasures', body);
  assert.deepEqual([without.status, without.json.code], [400, 'idempotency_required']);
  const done = await whenDone(gateway, `/v1/erasures/${first.json.id}`);
  const second = await post(gateway, '/v1/erasures', { ...body, reason: 'again' });
  const redone = await whenDone(gateway, `/v1/erasures/${second.json.id}`);
  assert.equal(redone.certificate.conversations[0].erased_offset, done.certificate.conversations[0].erased_offset);
  for (const wrong of [{}, { reason: 'x' }, { email: 'a@b.c', conversation, reason: 'x' }, { conversation }, { email: 'nobody', reason: 'x' }]) {
    assert.equal((await post(gateway, '/v1/erasures', wrong)).status, 422, JSON.stringify(wrong));
  }
  const unknown = await post(gateway, '/v1/erasures', { conversation: `cnv_${'1'.repeat(32)}`, reason: 'x' });
  assert.equal(unknown.status, 404);
  const agent = `Bearer ${await gateway.key('ann')}`;
  for (const path of ['/v1/erasures', '/v1/exports']) {
    const refused = await gateway.request(path, { method: 'POST', body, headers: { authorization: agent, 'idempotency-key': randomUUID() } });
    assert.deepEqual([refused.status, refused.json.code], [403, 'forbidden']);
  }
  assert.equal((await get(gateway, `/v1/exports/${first.json.id}`)).status, 404, 'an erasure is no export');
});

wireTest('an export is everything, notes too, and empty of what is erased', async (t) => {
  const email = `export-${randomUUID()}@example.com`;
  const kept = await enquire(gateway, email, 'a question');
  const gone = await enquire(gateway, email, 'a secret');
  const note = await asAdmin(gateway, 'PUT', `/v1/conversations/${kept}/messages/${randomUUID()}`, { visibility: 'internal', body: { text: 'a note' } });
  assert.ok(note.status < 300, note.text);
  for (let i = 0; i < 300; i += 1) {
    await asAdmin(gateway, 'PUT', `/v1/conversations/${kept}/messages/m${i}`, { body: { text: `line ${i}` } });
  }
  const asked = await post(gateway, '/v1/exports', { email });
  assert.deepEqual([asked.status, asked.json.status, asked.json.n_conversations], [202, 'done', 2]);
  const erasure = await post(gateway, '/v1/erasures', { conversation: gone, reason: 'asked for' });
  await whenDone(gateway, erasure.headers.location);
  const content = await get(gateway, `${asked.headers.location}/content`);
  assert.equal(content.status, 200, content.text);
  assert.match(content.headers['content-disposition'], /attachment; filename="exp_[0-9a-f]+\.json"/);
  const whole = JSON.parse(content.text);
  const of = (id) => whole.conversations.find((c) => c.id === id);
  assert.equal(of(kept).entries.length, 302);
  assert.deepEqual(of(kept).entries.map((e) => e.offset), Array.from({ length: 302 }, (_, i) => i + 1));
  assert.equal(of(kept).entries[0].body.contact.email, email);
  assert.deepEqual([of(kept).contact.email, of(kept).contact.name], [email, 'Jo Doe']);
  assert.equal(of(gone).contact, null, 'nobody is named any more');
  assert.ok(of(kept).entries.some((e) => e.kind === 'note' && e.visibility === 'internal' && e.body.text === 'a note'));
  assert.ok(of(gone).entries.slice(0, -1).every((e) => e.erased));
  assert.ok(!content.text.includes('a secret'));
});

onEachTransport('a visitor whose conversation is erased is told so and comes back to nothing', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('forget me');
  const asked = await post(gateway, '/v1/erasures', { conversation: visitor.c, reason: 'asked in the chat' });
  await visitor.waitFor((f) => f.t === 'msg' && f.kind === 'erased');
  await assert.rejects(visitor.waitFor((f) => f.t === 'nothing'), /conversation_erased/);
  const erased = visitor.frames.find((f) => f.t === 'msg' && f.kind === 'erased');
  assert.deepEqual(erased.body, {}, 'not the reason');
  await whenDone(gateway, asked.headers.location);
  await assert.rejects(visitor.attach(), /conversation_erased/);
});

wireTest('an erasure goes on after kill -9', async () => {
  const own = new Gateway({ env: FAST });
  try {
    await own.start();
    const email = 'many@example.com';
    const all = [];
    while (all.length < 300) {
      all.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => enquire(own, email, `canary-many ${i}`)))));
    }
    const asked = await post(own, '/v1/erasures', { email, reason: 'asked for' });
    assert.equal(asked.json.n_conversations, all.length, asked.text);
    for (let told = asked.json; told.n_erased === 0; ) told = (await get(own, asked.headers.location)).json;
    await own.kill();
    await own.start();
    const done = await whenDone(own, asked.headers.location);
    assert.deepEqual(done.certificate.conversations.map((c) => c.id).sort(), all.sort());
    assert.ok(done.certificate.conversations.every((c) => c.erased_offset === 2));
    assert.equal(await own.stop(), 0);
    assert.deepEqual(filesHold(own.data, 'canary-many'), []);
    const verified = JSON.parse((await holdline(['verify', '--data', own.data, '--json'])).stdout);
    assert.deepEqual([verified.ok, verified.erased, verified.entries], [true, 300, 600]);
  } finally {
    await own.remove();
  }
});
