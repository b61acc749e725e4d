// What an inbox promises: due times by its goals and hours, in the conversation and in lists; and
// what happens to them when a conversation goes to another inbox.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const MINUTE = 60_000;
let admin;

async function call(method, path, body, headers = {}) {
  admin ??= gateway.key('root', ['--role', 'admin']);
  const authorization = `Bearer ${await admin}`;
  const answer = await gateway.request(path, { method, body, headers: { authorization, ...headers } });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  return answer.json;
}

const makeInbox = (name, more) => call('POST', '/v1/inboxes', { site: 'default', name, ...more });

async function moveTo(inbox, conversation) {
  const { etag } = await call('GET', `/v1/conversations/${conversation}`);
  return call('PUT', `/v1/conversations/${conversation}/assignee`, { inbox }, { 'if-match': etag });
}

wireTest('due times follow the inbox, its goals and its hours', async (t) => {
  const week = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => ({ day, open: '00:00', close: '24:00' }));
  const goals = { first_response_minutes: 10, response_minutes: 60 };
  const open = await makeInbox('always open', { sla: goals, business_hours: { time_zone: 'Asia/Kolkata', week, holidays: [] } });
  const shut = await makeInbox('never open', { sla: goals, business_hours: { time_zone: 'UTC', week: [], holidays: [] } });
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const there = await moveTo(open.id, visitor.c);
  assert.equal(there.inbox, open.id);
  const due = Date.parse(there.timers.first_response_due_at) - Date.parse(there.opened_at);
  assert.equal(due, 10 * MINUTE);
  assert.equal(there.timers.sla, 'ok');
  const listed = await call('GET', '/v1/conversations?sort=due');
  assert.ok(listed.data.some((conversation) => conversation.id === visitor.c));
  await call('PUT', `/v1/conversations/${visitor.c}/messages/${randomUUID()}`, { text: 'hello too' });
  const met = await call('GET', `/v1/conversations/${visitor.c}`);
  assert.deepEqual([met.timers.sla, met.timers.response_due_at], ['met', null]);
  await visitor.publish('and now?');
  const again = await call('GET', `/v1/conversations/${visitor.c}`);
  const next = Date.parse(again.timers.response_due_at) - Date.parse(again.waiting_since);
  assert.equal(next, 60 * MINUTE);
  const elsewhere = await moveTo(shut.id, visitor.c);
  assert.deepEqual([elsewhere.inbox, elsewhere.timers.sla, elsewhere.timers.response_due_at], [shut.id, 'none', null]);
});
