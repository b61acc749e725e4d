// Every route for every role, at their own site and at another one: a table.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const ROLES = ['admin', 'supervisor', 'agent', 'integration', 'auditor'];
const people = {}; // by role: of all sites; by role and site: bound to it

async function call(key, method, path, body, headers = {}) {
  return gateway.request(path, { method, body, headers: { authorization: `Bearer ${key}`, ...headers } });
}

async function openConversation(t) {
  const visitor = await t.connect(gateway);
  await visitor.publish('question');
  return `/v1/conversations/${visitor.c}`;
}

const ANY = { 'if-match': '*' };
const work = ['admin', 'supervisor', 'agent'];
const everybody = ROLES;
// [method, path below the conversation or from /v1 on, body, headers, who may]
const ROUTES = [
  ['GET', '', undefined, {}, everybody],
  ['GET', '/messages', undefined, {}, everybody],
  ['GET', '/positions', undefined, {}, everybody],
  ['GET', '/transcript', undefined, {}, everybody],
  ['PUT', '/positions/me', { read: 1 }, {}, ['admin', 'supervisor', 'agent', 'integration']],
  ['PUT', '/messages/ID', { text: 'x' }, {}, ['admin', 'supervisor', 'agent', 'integration']],
  ['PUT', '/assignee', undefined, { 'if-none-match': '*' }, work],
  ['DELETE', '/assignee', undefined, {}, work],
  ['PATCH', '', { tags: ['a'] }, ANY, work],
  ['PUT', '/presence', { viewing: true }, {}, work],
  ['GET', '/v1/agent', undefined, {}, everybody],
  ['GET', '/v1/conversations', undefined, {}, everybody],
  ['GET', '/v1/contacts', undefined, {}, everybody],
  ['GET', '/v1/tags', undefined, {}, everybody],
  ['GET', '/v1/events', undefined, {}, everybody],
  ['GET', '/v1/sites', undefined, {}, everybody],
  ['GET', '/v1/inboxes', undefined, {}, everybody],
  ['GET', '/v1/agents', undefined, {}, everybody],
  ['GET', '/v1/canned-replies', undefined, {}, everybody],
  ['GET', '/v1/keys', undefined, {}, ['admin', 'auditor']],
  ['GET', '/v1/audit', undefined, {}, ['admin', 'auditor']],
  ['PUT', '/v1/agent/availability', { availability: 'online' }, {}, work],
  ['POST', '/v1/canned-replies', { shortcut: 'ID', text: 'x' }, {}, ['admin', 'supervisor']],
  ['POST', '/v1/sites', { id: 'ID', name: 'x' }, {}, ['admin']],
  ['POST', '/v1/inboxes', { name: 'ID' }, {}, ['admin']],
  ['POST', '/v1/agents', { name: 'ID', role: 'agent' }, {}, ['admin']],
  ['POST', '/v1/exports', { conversation: 'CNV' }, { 'idempotency-key': 'ID' }, ['admin', 'supervisor']],
  ['POST', '/v1/erasures', { conversation: 'CNV', reason: 'asked' }, { 'idempotency-key': 'ID' }, ['admin']],
  ['POST', '/v1/sites/default/identity-secret', undefined, {}, ['admin']],
];

function fresh(value, conversation = '') {
  const text = JSON.stringify(value)?.replaceAll('CNV', conversation.split('/').pop());
  return text === undefined ? undefined : JSON.parse(text.replaceAll('ID', randomUUID().slice(0, 30)));
}

wireTest('every route asks the role', async (t) => {
  for (const role of ROLES) people[role] = await gateway.key(role, ['--role', role]);
  for (const [method, path, body, headers, may] of ROUTES) {
    for (const role of ROLES) {
      const conversation = path.startsWith('/v1') && !body?.conversation ? '' : await openConversation(t);
      const target = path.startsWith('/v1') ? path : conversation + fresh([path])[0];
      const answer = await call(people[role], method, target, fresh(body, conversation), fresh(headers));
      const what = `${role}: ${method} ${path} ${answer.status} ${answer.text}`;
      if (may.includes(role)) assert.ok(answer.status < 300, what);
      else assert.deepEqual([answer.status, answer.json.code], [403, 'forbidden'], what);
    }
  }
});

wireTest('another site does not exist', async (t) => {
  const admin = people.admin ?? (await gateway.key('admin', ['--role', 'admin']));
  assert.equal((await call(admin, 'POST', '/v1/sites', { id: 'other', name: 'Other' })).status, 201);
  const inbox = await call(admin, 'POST', '/v1/inboxes', { name: 'Here' });
  const reply = await call(admin, 'POST', '/v1/canned-replies', { shortcut: 'here', text: 'x' });
  const agent = await call(admin, 'POST', '/v1/agents', { name: 'Here', role: 'agent', site: 'default' });
  const key = await call(admin, 'POST', '/v1/keys', { agent: agent.json.id, name: 'here' });
  const objects = [inbox, reply, agent].map((made) => made.headers.location);
  for (const role of ROLES) {
    const bound = await gateway.key(`${role}-other`, ['--role', role, '--site', 'other']);
    for (const [method, path, body, headers, may] of ROUTES.filter(([, path]) => !path.startsWith('/v1'))) {
      const below = (await openConversation(t)) + fresh([path])[0];
      const answer = await call(bound, method, below, fresh(body), headers);
      const what = `${role}: ${method} ${path} ${may} ${answer.text}`;
      assert.deepEqual([answer.status, answer.json.code], [404, 'unknown_conversation'], what);
    }
    for (const path of [...objects, '/v1/sites/default']) {
      assert.equal((await call(bound, 'GET', path)).status, 404, `${role} ${path}`);
      const change = await call(bound, 'PATCH', path, { name: 'x' }, ANY);
      assert.equal(change.status, 404, `${role} PATCH ${path}`);
    }
    const revoke = await call(bound, 'DELETE', `/v1/keys/${key.json.id}`);
    assert.equal(revoke.status, ['admin', 'auditor'].includes(role) ? 404 : 403);
    for (const path of ['conversations', 'contacts', 'tags', 'inboxes?site=default', 'canned-replies', 'audit?site=default']) {
      const list = await call(bound, 'GET', `/v1/${path}`);
      if (list.status === 200) assert.deepEqual(list.json.data, [], `${role} ${path}`);
    }
    const conversation = (await openConversation(t)).split('/').pop();
    for (const path of ['exports', 'erasures']) {
      const body = { conversation, ...(path === 'erasures' && { reason: 'asked' }) };
      const answer = await call(bound, 'POST', `/v1/${path}`, body, { 'idempotency-key': randomUUID() });
      assert.ok([403, 404].includes(answer.status), `${role} ${path} ${answer.text}`);
    }
    const feed = await call(bound, 'GET', '/v1/events?cursor=start&wait=0');
    assert.deepEqual([feed.status, feed.json.data], [200, []], role);
  }
});

wireTest('an agent of some inboxes sees these', async (t) => {
  const admin = people.admin ?? (await gateway.key('admin', ['--role', 'admin']));
  const inbox = await call(admin, 'POST', '/v1/inboxes', { name: 'Narrow' });
  const path = await openConversation(t);
  const agent = await call(admin, 'POST', '/v1/agents', { name: 'Nina', role: 'agent', inboxes: [inbox.json.id] });
  const made = await call(admin, 'POST', '/v1/keys', { agent: agent.json.id, name: 'x' });
  const secret = made.json.secret;
  assert.equal((await call(secret, 'GET', path)).status, 404);
  const { headers } = await call(admin, 'GET', path);
  const moved = await call(admin, 'PUT', `${path}/assignee`, { inbox: inbox.json.id }, { 'if-match': headers.etag });
  assert.equal(moved.status, 200, moved.text);
  assert.equal((await call(secret, 'GET', path)).status, 200);
  const kept = await call(admin, 'DELETE', `/v1/inboxes/${inbox.json.id}`, undefined, ANY);
  assert.deepEqual([kept.status, kept.json.code], [409, 'in_use']);
});
