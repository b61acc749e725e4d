// What a page may ask before anybody chats.
import assert from 'node:assert/strict';
import { Gateway } from '../support/gateway.mjs';
import { EventStream } from '../support/http.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const look = async (path = '/v1/availability', headers = {}) => {
  const answer = await gateway.request(path, { headers });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};

// The answer may be a second old.
async function until(condition, what) {
  for (let i = 0; i < 100; i += 1) {
    const seen = await look();
    if (condition(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

wireTest('an empty house: open, nobody there, nothing to wait for', async () => {
  const answer = await gateway.request('/v1/availability');
  assert.deepEqual(answer.json, { open: true, agents_online: 0, queue: 0, expected_wait_s: null, opens_at: null });
  assert.equal(answer.headers['cache-control'], 'public, max-age=5');
  assert.equal(answer.headers.vary, 'origin');
});

wireTest('agents with an open feed are online; who waits stands in the queue', async (t) => {
  const key = await gateway.key('ann');
  const crm = await gateway.key('crm', ['--role', 'integration']);
  const feed = new EventStream(`${gateway.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
  const other = new EventStream(`${gateway.url}/v1/events`, { headers: { authorization: `Bearer ${crm}` } });
  try {
    await Promise.all([feed.opened, other.opened]);
    const visitor = await t.connect(gateway);
    await visitor.publish('anyone there?');
    const seen = await until((now) => now.agents_online > 0 && now.queue > 0, 'an agent and a queue');
    assert.equal(seen.agents_online, 1, 'a program is no agent');
    assert.equal(seen.queue, 1);
    const agent = await t.connect(gateway, { key });
    await agent.subscribe(visitor.c);
    await agent.publish('yes', { c: visitor.c });
    const answered = await until((now) => now.queue === 0, 'an empty queue');
    assert.ok(answered.expected_wait_s === null || answered.expected_wait_s >= 0);
  } finally {
    feed.close();
    other.close();
  }
  await until((now) => now.agents_online === 0, 'everybody gone');
});

wireTest('the widget of an inbox that nobody has set up', async () => {
  const widget = await look('/v1/widget');
  assert.equal(widget.site, 'default');
  assert.equal(widget.locale, 'en');
  assert.deepEqual(widget.form, { name: 'optional', email: 'optional', phone: 'off' });
  assert.equal(widget.consent, null);
  assert.equal(widget.availability.open, true);
  const same = await look(`/v1/widget?site=default&inbox=${widget.inbox}`);
  assert.equal(same.inbox, widget.inbox);
});

wireTest('sites and inboxes that are not there', async () => {
  for (const [query, status, code] of [
    ['site=none', 404, 'unknown_site'],
    ['inbox=none', 404, 'unknown_inbox'],
    [`inbox=inb_${'0'.repeat(32)}`, 404, 'unknown_inbox'],
    ['site=%ff', 422, 'invalid_field'],
    [`site=${'x'.repeat(65)}`, 422, 'invalid_field'],
    ['site=a&site=b', 422, 'invalid_field'],
  ]) {
    for (const path of ['/v1/widget', '/v1/availability']) {
      const answer = await gateway.request(`${path}?${query}`);
      assert.equal(answer.status, status, query);
      assert.equal(answer.json.code, code);
    }
  }
});

wireTest('only pages of the site may ask', async () => {
  const open = await Gateway.start({ env: { HOLDLINE_ORIGINS: 'https://shop.example' } });
  try {
    const mine = await open.request('/v1/widget', { headers: { origin: 'https://shop.example' } });
    assert.equal(mine.status, 200);
    assert.equal(mine.headers['access-control-allow-origin'], 'https://shop.example');
    const foreign = await open.request('/v1/widget', { headers: { origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
  } finally {
    await open.remove();
  }
});
