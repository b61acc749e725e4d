// What is read from the index: lists, search, contacts, tags; and that the index is a projection
// of the log that may be lost, damaged or left behind at any time.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const keys = {};

function keyOf(name) {
  keys[name] ??= gateway.key(name, name === 'crm' ? ['--role', 'integration'] : []);
  return keys[name];
}

// The gateway's own request() checks every answer against openapi.yaml.
async function get(path, { name = 'ann', headers = {} } = {}) {
  return gateway.request(path, { headers: { authorization: `Bearer ${await keyOf(name)}`, ...headers } });
}

async function change(method, path, body, headers = {}) {
  const authorization = `Bearer ${await keyOf('ann')}`;
  const answer = await gateway.request(path, { method, body, headers: { authorization, ...headers } });
  assert.ok(answer.status < 300, answer.text);
  return answer;
}

async function list(query = '') {
  const answer = await get(`/v1/conversations${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.data;
}

async function enquire(enquiry) {
  const headers = { 'idempotency-key': randomUUID() };
  const answer = await gateway.request('/v1/enquiries', { method: 'POST', body: enquiry, headers });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

const ids = (items) => items.map((item) => item.id);
const unique = () => randomUUID().replaceAll('-', '');

wireTest('an enquiry is found by its words, its sender and its reference', async () => {
  const word = unique();
  const enquiry = await enquire({
    contact: { name: 'Zoë Müller', email: `Zoe.${word}@Example.com` },
    message: { text: `A gr\u00fcn piano, ${word}x please` },
  });
  for (const q of [`${word}x`, `gruen ${word}x`.replace('gruen', 'grun'), `muller ${word}`, `${word.slice(0, 20)}`,
    `zoe.${word}@example.com`, enquiry.reference]) {
    const found = await list(`?q=${encodeURIComponent(q)}`);
    assert.deepEqual(found.map((c) => c.reference), [enquiry.reference], q);
  }
  const [conversation] = await list(`?q=${word}x`);
  assert.equal(conversation.contact.name, 'Zoë Müller');
  assert.equal(conversation.contact.email, `Zoe.${word}@Example.com`);
  assert.deepEqual([conversation.unread, conversation.last_message.from_role], [1, 'visitor']);
  assert.match(conversation.last_message.excerpt, /piano/);
  assert.ok(conversation.waiting_since);
  assert.equal(conversation.timers.first_response_at, null);
  assert.deepEqual(await list(`?q=${word}x%20nothing-like-it`), []);
});

wireTest('no query is an error', async () => {
  for (const q of ['"', '*', 'a AND', 'NEAR(', 'text:x', '^a', '(', "';--", '\u{1f600}', ' ', '-', '{', 'a"b"c']) {
    await list(`?q=${encodeURIComponent(q)}`);
    assert.equal((await get(`/v1/contacts?q=${encodeURIComponent(q)}`)).status, 200, q);
  }
});

wireTest('earlier conversations of the same person', async () => {
  const email = `${unique()}@example.com`;
  const first = await enquire({ contact: { name: 'Bo', email }, message: { text: 'first' } });
  await enquire({ contact: { name: 'Bo Berg', email: email.toUpperCase() }, message: { text: 'second' } });
  const [contact, ...others] = (await get(`/v1/contacts?q=${email}`)).json.data;
  assert.deepEqual([contact.conversations, contact.name, others.length], [2, 'Bo Berg', 0]);
  const one = await get(`/v1/contacts/${contact.id}`);
  assert.deepEqual(one.json, contact);
  const pages = [];
  let cursor = '';
  do {
    const page = await get(`/v1/contacts/${contact.id}/conversations?limit=1${cursor && `&cursor=${cursor}`}`);
    pages.push(...page.json.data.map((c) => c.reference));
    cursor = page.json.next_cursor;
  } while (cursor);
  assert.deepEqual([pages.length, pages[1]], [2, first.reference]);
  assert.equal((await list(`?contact=${contact.id}`)).length, 2);
  const unknown = await get('/v1/contacts/con_00000000000000000000000000000000');
  assert.deepEqual([unknown.status, unknown.json.code], [404, 'not_found']);
  assert.equal((await get('/v1/contacts/nonsense')).status, 404);
});

wireTest('orders, filters and timers', async (t) => {
  const site = (await list('?limit=1'))[0].site;
  const since = new Date(Date.now() - 1).toISOString();
  const visitors = [];
  for (const text of ['one', 'two', 'three']) {
    const visitor = await t.connect(gateway);
    await visitor.publish(text);
    visitors.push(visitor.c);
  }
  const [one, two, three] = visitors;
  const mine = (query) => list(`?opened_after=${since}&${query}`).then(ids);
  await change('PUT', `/v1/conversations/${two}/assignee`, undefined, { 'if-none-match': '*' });
  const put = await change('PUT', `/v1/conversations/${two}/messages/${randomUUID()}`, { text: 'answer' });
  assert.deepEqual(await mine('sort=oldest'), [one, two, three]);
  assert.deepEqual(await mine('sort=newest'), [three, two, one]);
  assert.equal((await mine('sort=updated'))[0], two);
  assert.deepEqual(await mine('sort=oldest_unanswered'), [one, three]);
  assert.deepEqual(await mine('sort=oldest&assignee=none'), [one, three]);
  assert.deepEqual(await mine('sort=oldest&assignee=me'), [two]);
  assert.deepEqual(await mine(`sort=oldest&opened_before=${since}`), []);
  assert.deepEqual(await mine(`sort=oldest&site=${site}&status=closed`), []);
  const closed = await get(`/v1/conversations/${two}`);
  assert.deepEqual([closed.json.assignee_name, closed.json.unread], ['ann', 0]);
  assert.ok(closed.json.timers.first_response_at);
  await change('PATCH', `/v1/conversations/${two}`, { status: 'closed' }, { 'if-match': closed.json.etag });
  assert.deepEqual(await mine('status=closed'), [two]);
  assert.ok((await get(`/v1/conversations/${two}`)).json.timers.closed_at);
  assert.match(put.headers['holdline-position'], /^\d+\.\d+$/);
});

wireTest('tags filter, all of them, and are counted', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('tag me');
  const [a, b] = [`a-${unique()}`, `b-${unique()}`];
  const path = `/v1/conversations/${visitor.c}`;
  const before = await get(path);
  const answer = await change('PATCH', path, { tags: [a, b], custom_fields: { order: 7 } }, { 'if-match': before.json.etag });
  assert.deepEqual([answer.json.tags, answer.json.custom_fields], [[a, b], { order: 7 }]);
  assert.deepEqual(ids(await list(`?tag=${a}&tag=${b}`)), [visitor.c]);
  assert.deepEqual(await list(`?tag=${a}&tag=nothing`), []);
  const tags = (await get('/v1/tags')).json.data;
  assert.deepEqual(tags.filter((tag) => tag.tag === a), [{ tag: a, count: 1 }]);
});

wireTest('unread goes down with what is read, for each agent', async (t) => {
  const visitor = await t.connect(gateway);
  for (const text of ['one', 'two', 'three']) await visitor.publish(text);
  const unread = async (name) => (await get(`/v1/conversations/${visitor.c}`, { name })).json.unread;
  assert.deepEqual([await unread('ann'), await unread('ben'), await unread('crm')], [3, 3, 0]);
  await change('PUT', `/v1/conversations/${visitor.c}/positions/me`, { read: 2 });
  assert.deepEqual([await unread('ann'), await unread('ben')], [1, 3]);
});

wireTest('a read sees what it names, or is refused', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const written = await change('PUT', `/v1/conversations/${visitor.c}/messages/${randomUUID()}`, { text: 'hi' });
  const position = written.headers['holdline-position'];
  const [epoch, number] = position.split('.');
  const reads = ['', '/messages', '/positions'].map((rest) => `/v1/conversations/${visitor.c}${rest}`);
  for (const path of [...reads, '/v1/conversations', '/v1/contacts', '/v1/tags']) {
    const ask = (value) => get(path, { headers: { 'holdline-min-position': value } });
    assert.equal((await ask(position)).status, 200, path);
    const behind = await ask(`${epoch}.${Number(number) + 1000}`);
    assert.deepEqual([behind.status, behind.json.code, behind.json.retryable], [503, 'node_behind', true]);
    assert.ok(behind.headers['retry-after']);
    const foreign = await ask(`${Number(epoch) + 1}.1`);
    assert.deepEqual([foreign.status, foreign.json.code], [410, 'cursor_expired']);
    for (const bad of ['1', 'x.y', '1.', '-1.2', '1.2.3', '1.99999999999999999999']) {
      assert.equal((await ask(bad)).status, 400, bad);
    }
  }
  const page = await get('/v1/conversations', { headers: { 'holdline-min-position': position } });
  assert.ok(Number(page.headers['holdline-position'].split('.')[1]) >= Number(number));
});

wireTest('wrong parameters are named', async () => {
  const wrong = ['status=x', 'sort=x', 'assignee=x', 'cursor=x', 'limit=0', 'limit=201', 'inbox=x', 'contact=cnv_1',
    'contact=con_00000000000000000000000000000000',
    'tag=', 'opened_after=yesterday', `q=${'x'.repeat(257)}`, 'cursor=2.0000000000000000.0000000000000000',
    Array(9).fill('tag=a').join('&')];
  for (const query of wrong) {
    const answer = await get(`/v1/conversations?${query}`);
    assert.deepEqual([answer.status, answer.json.code], [422, 'invalid_field'], query);
    assert.equal(answer.json.errors[0].pointer, `/${query.split('=')[0]}`);
  }
});

// Everything that lists tell, to be compared. Read positions become durable lazily: not them.
async function everything() {
  const all = [];
  for (const sort of ['newest', 'oldest_unanswered', 'updated']) {
    let cursor = '';
    do {
      const page = await get(`/v1/conversations?sort=${sort}&limit=200${cursor && `&cursor=${cursor}`}`);
      assert.equal(page.status, 200, page.text);
      all.push(...page.json.data);
      cursor = page.json.next_cursor;
    } while (cursor);
  }
  const contacts = (await get('/v1/contacts?limit=200')).json.data;
  all.forEach((conversation) => delete conversation.unread);
  return { all, contacts: contacts.sort((a, b) => (a.id < b.id ? -1 : 1)), tags: (await get('/v1/tags')).json.data };
}

// Right after a start an index that is built anew may not have caught up.
async function caughtUp() {
  let answer;
  do answer = await get('/v1/conversations?limit=1'); while (answer.status === 503);
  assert.equal(answer.status, 200, answer.text);
}

const index = () => join(gateway.data, 'index.db');

wireTest('the index is built again when it is lost, damaged or something else', async () => {
  await caughtUp();
  const before = await everything();
  assert.ok(before.all.length > 5);
  const harm = [
    () => {},
    () => ['', '-wal', '-shm'].forEach((ending) => rmSync(index() + ending, { force: true })),
    () => writeFileSync(index(), 'this is no database, whatever it is called'.repeat(200)),
    () => rmSync(`${index()}-wal`, { force: true }),
    () => writeFileSync(`${index()}-wal`, Buffer.alloc(100_000, 7)),
  ];
  for (const [i, doHarm] of harm.entries()) {
    await gateway.kill();
    doHarm();
    await gateway.start();
    await caughtUp();
    assert.deepEqual(await everything(), before, `after harm ${i}`);
  }
});
