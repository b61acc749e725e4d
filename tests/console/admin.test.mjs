// An admin sets the house up in the console alone: hours and goals, a colleague with a key, the site,
// the line for the page.
import assert from 'node:assert/strict';
import { consoleTest, item, PHONE, useHouse } from './desk.mjs';
import { checkAccess } from './access.mjs';

const house = useHouse();
const MINUTE = 60_000;
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

async function ask(method, path, { who = 'ann', body, headers } = {}) {
  const authorization = `Bearer ${house.keys[who]}`;
  const answer = await house.gateway.request(path, { method, body, headers: { authorization, ...headers } });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  return answer.json;
}

const listed = async (path, name) => (await ask('GET', path)).data.find((one) => one.name === name);

async function openAdmin(t, options) {
  const page = await t.console('ann', options);
  await page.goto(`${house.gateway.url}/console/#/admin`);
  await page.waitForSelector('.sites .fold');
  return page;
}

// The form behind a line.
async function unfold(page, section, title) {
  const fold = page.locator(`.${section} .fold`).filter({ has: page.locator('summary b', { hasText: new RegExp(`^${title}$`) }) });
  await fold.locator('summary').click();
  await fold.locator('form').waitFor();
  return fold;
}

async function save(page, fold) {
  await fold.locator('button.primary').click();
  const told = page.locator('.toast.good', { hasText: 'Saved.' });
  await told.getByLabel('Dismiss').click();
  await told.waitFor({ state: 'detached' });
}

async function makeInbox(page, name) {
  const fold = await unfold(page, 'inboxes', 'New inbox');
  await fold.getByLabel('Name').fill(name);
  await fold.locator('button.primary').click();
  await page.locator('.inboxes summary b', { hasText: name }).waitFor();
  return unfold(page, 'inboxes', name);
}

consoleTest('hours and goals set here are what the timers and visitors go by', house, async (t) => {
  const page = await openAdmin(t);
  const fold = await makeInbox(page, 'Sales');
  await fold.getByLabel('First answer, minutes').fill('15');
  await fold.getByLabel('Each further answer, minutes').fill('60');
  await fold.getByLabel('Always open').uncheck();
  await fold.getByLabel('Time zone').fill('Asia/Kolkata');
  for (const day of ['Saturday', 'Sunday']) await fold.getByLabel(`Add hours on ${day}`).click();
  for (const day of DAYS) {
    await fold.getByLabel(`${day}, opens`).fill('0:00');
    await fold.getByLabel(`${day}, closes`).fill('24:00');
  }
  await fold.getByLabel('Closed on').fill('2031-12-25');
  await fold.getByText('Add the day').click();
  await fold.getByLabel('Title').fill('Ask Sales');
  await fold.getByLabel('Accent', { exact: true }).fill('#803060');
  await fold.getByLabel('Phone').selectOption('required');
  await fold.getByLabel('Ask for consent first').check();
  await fold.getByLabel('Address of the privacy policy').fill('https://shop.example/privacy');
  await save(page, fold);
  const inbox = await listed('/v1/inboxes', 'Sales');
  assert.deepEqual(inbox.sla, { first_response_minutes: 15, response_minutes: 60 });
  assert.deepEqual([inbox.business_hours.time_zone, inbox.business_hours.week.length, inbox.business_hours.holidays], ['Asia/Kolkata', 7, ['2031-12-25']]);
  assert.deepEqual([inbox.widget.title, inbox.widget.accent, inbox.widget.form.phone, inbox.widget.consent.policy_url], ['Ask Sales', '#803060', 'required', 'https://shop.example/privacy']);
  const visitor = await t.visitor(['Hello?']);
  const { etag } = await ask('GET', `/v1/conversations/${visitor.c}`);
  const there = await ask('PUT', `/v1/conversations/${visitor.c}/assignee`, { body: { inbox: inbox.id }, headers: { 'if-match': etag } });
  assert.equal(Date.parse(there.timers.first_response_due_at) - Date.parse(there.opened_at), 15 * MINUTE);
  await page.click('.rail-link:has-text("Unassigned")');
  await item(page, visitor.c).locator('.timer.ok').waitFor();
  await page.goto(`${house.gateway.url}/console/#/admin`);
  const again = await unfold(page, 'inboxes', 'Sales');
  for (const day of DAYS) await again.getByLabel(`Remove 00:00 to 24:00 on ${day}`).click();
  await save(page, again);
  const { json } = await house.gateway.request(`/v1/availability?site=default&inbox=${inbox.id}`);
  assert.equal(json.open, false);
  assert.equal((await ask('GET', `/v1/conversations/${visitor.c}`)).timers.sla, 'none');
});

consoleTest('a colleague is added, signs in with the key, and cannot any more once deactivated', house, async (t) => {
  const page = await openAdmin(t);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const fold = await unfold(page, 'colleagues', 'New colleague');
  await fold.getByLabel('Name', { exact: true }).fill('Cleo Marsh');
  await fold.getByLabel('E-mail').fill('cleo@example.com');
  await fold.getByLabel('Role').selectOption('supervisor');
  await fold.locator('button.primary').click();
  const key = await page.locator('dialog .secret').textContent();
  await page.getByText('Copy the key').click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(key), 'shown once');
  house.keys.cleo = key;
  const theirs = await t.console('cleo');
  assert.match(await theirs.textContent('.person'), /Cleo Marsh/);
  await theirs.goto(`${house.gateway.url}/console/#/admin`);
  await theirs.waitForSelector('.inboxes .cards li');
  assert.equal(await theirs.$('.fold, .snippet, .sites'), null, 'for admins only');
  const own = await unfold(page, 'colleagues', 'Cleo Marsh');
  await own.getByLabel('Role').selectOption('agent');
  await own.locator('.checks input').first().check();
  await save(page, own);
  const now = await listed('/v1/agents', 'Cleo Marsh');
  assert.deepEqual([now.role, now.email, now.inboxes.length], ['agent', 'cleo@example.com', 1]);
  await own.getByRole('button', { name: 'Deactivate' }).click();
  await own.getByRole('button', { name: 'Deactivate Cleo Marsh and end all keys' }).click();
  await page.locator('.colleagues summary', { hasText: 'Cleo Marsh' }).filter({ hasText: 'not active' }).waitFor();
  const { status } = await house.gateway.request('/v1/agent', { headers: { authorization: `Bearer ${key}` } });
  assert.equal(status, 401);
});

consoleTest('what is wrong is said at the field, and the field has the focus', house, async (t) => {
  const page = await openAdmin(t);
  const fold = await makeInbox(page, 'Repairs');
  await fold.getByLabel('Always open').uncheck();
  await fold.getByLabel('Tuesday, closes').fill('08:00');
  await fold.locator('button.primary').click();
  const field = fold.getByLabel('Tuesday, closes');
  await fold.locator('[data-at="/business_hours/week/1/close"] .fault').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.ok(await field.evaluate((one) => one === document.activeElement));
  const described = await field.getAttribute('aria-describedby');
  assert.match(await fold.locator(`[id="${described}"]`).textContent(), /later than open/);
  await field.fill('18:00');
  await save(page, fold);
  assert.equal(await fold.locator('.fault').count(), 0);
  const site = page.locator('.sites .fold');
  await site.locator('summary').click();
  await site.getByLabel('Allowed origins').fill('https://shop.example\nshop.example/path');
  await site.locator('button.primary').click();
  await site.locator('[data-at="/origins"] .fault').waitFor();
  await site.getByLabel('Allowed origins').fill('https://shop.example\nhttps://www.shop.example');
  await site.getByLabel('Days until').fill('90');
  await site.getByLabel('searched by their text').uncheck();
  await save(page, site);
  const { origins, retention_days, search_text } = await ask('GET', '/v1/sites/default');
  assert.deepEqual([origins, retention_days, search_text], [['https://shop.example', 'https://www.shop.example'], 90, false]);
});

consoleTest('who was faster is named, and neither change is lost', house, async (t) => {
  house.keys.dora ??= await house.gateway.key('Dora Lind', ['--role', 'admin']);
  const page = await openAdmin(t);
  const fold = await makeInbox(page, 'Returns');
  const { id, etag } = await listed('/v1/inboxes', 'Returns');
  const change = (body, tag) => ask('PATCH', `/v1/inboxes/${id}`, { who: 'dora', body, headers: { 'if-match': tag } });
  const changed = await change({ sla: { response_minutes: 30 } }, etag);
  await fold.getByLabel('First answer, minutes').fill('5');
  await fold.locator('button.primary').click();
  await fold.locator('.conflict', { hasText: 'Dora Lind changed this' }).waitFor();
  assert.equal((await ask('GET', `/v1/inboxes/${id}`)).sla.first_response_minutes, null, 'nothing was overwritten');
  await save(page, fold);
  const both = await ask('GET', `/v1/inboxes/${id}`);
  assert.deepEqual(both.sla, { first_response_minutes: 5, response_minutes: 30 });
  assert.notEqual(both.etag, changed.etag);
  await change({ name: 'Returns and more' }, both.etag);
  await fold.getByLabel('Greeting').fill('Hi');
  await fold.locator('button.primary').click();
  await fold.getByText('Show theirs').click();
  await page.locator('.inboxes summary b', { hasText: 'Returns and more' }).waitFor();
  assert.equal(await page.locator('form[aria-label="Inbox Returns and more"] [data-at="/widget/greeting"] textarea').inputValue(), '');
});

consoleTest('a colleague and a key whose answers were lost are made once', house, async (t) => {
  const page = await openAdmin(t);
  const sent = [];
  for (const path of ['**/v1/agents', '**/v1/keys']) {
    let isLost = false;
    await page.route(path, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      sent.push(route.request().headers()['idempotency-key']);
      if (isLost) return route.continue();
      isLost = true;
      await route.fetch();
      return route.abort();
    });
  }
  const fold = await unfold(page, 'colleagues', 'New colleague');
  await fold.getByLabel('Name', { exact: true }).fill('Once Only');
  await fold.locator('button.primary').click();
  house.keys.once = await page.locator('dialog .secret').textContent();
  assert.deepEqual([sent.length, new Set(sent).size], [4, 2]);
  const people = (await ask('GET', '/v1/agents?limit=200')).data.filter(({ name }) => name === 'Once Only');
  const keys = (await ask('GET', '/v1/keys?limit=200')).data.filter(({ agent }) => agent === people[0].id);
  assert.deepEqual([people.length, keys.length], [1, 1]);
  assert.equal((await ask('GET', '/v1/agent', { who: 'once' })).id, people[0].id);
});

consoleTest('the line for the page is of this gateway and of the chosen inbox', house, async (t) => {
  const page = await openAdmin(t);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await makeInbox(page, 'Rentals');
  const { id } = await listed('/v1/inboxes', 'Rentals');
  await page.getByLabel('What is written there goes to').selectOption(id);
  await page.getByText('Copy the line').click();
  await page.locator('.toast', { hasText: 'Copied.' }).waitFor();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(line, `<script src="${house.gateway.url}/sdk/v1/loader.js" data-site="default" data-inbox="${id}" async></script>`);
});

for (const colorScheme of ['light', 'dark']) {
  consoleTest(`axe finds nothing in the forms, on a desktop and a phone, ${colorScheme}`, house, async (t) => {
    const page = await openAdmin(t, { colorScheme, reducedMotion: 'reduce' });
    const fold = await makeInbox(page, `Axe ${colorScheme}`);
    await fold.getByLabel('Always open').uncheck();
    await fold.getByLabel('Ask for consent first').check();
    await fold.getByLabel('Monday, closes').fill('late');
    await fold.locator('button.primary').click();
    await fold.locator('.fault').waitFor();
    await unfold(page, 'colleagues', 'Ann Becker');
    await page.locator('.sites summary').click();
    await page.locator('.sites form').waitFor();
    await page.locator('.toast').first().waitFor({ state: 'detached' });
    await checkAccess(page, 'desktop');
    await page.setViewportSize(PHONE);
    await checkAccess(page, 'phone');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth && document.querySelector('.admin').scrollWidth <= document.querySelector('.admin').clientWidth));
    await page.locator('.keys button', { hasText: 'New key' }).click();
    await page.locator('dialog .secret').waitFor();
    await checkAccess(page, 'key');
  });
}
