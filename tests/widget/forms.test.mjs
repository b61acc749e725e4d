// Nobody there, no connection, no JavaScript: the enquiry form, and nothing that was typed is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import WebSocket from 'ws';
import { openPage } from '../browser/pages.mjs';
import {
  AWAY, end, fillForm, HERE, launcher, openChat, openSite, panel, say, settled, startChat, until, useWidget,
  SETTINGS, waitForTexts,
} from './visitor.mjs';

const shared = useWidget();
const { gateway } = shared;

const widgetTest = (name, run) => test(name, { timeout: 120_000 }, run);

const intro = (page) => page.locator('#holdline .intro');
const reference = async (page) => /HL-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(await page.locator('#holdline .reference').textContent())[0];
const conversations = async () => (await shared.agent.call('GET', '/v1/conversations?limit=200')).data;

widgetTest('nobody is there: the form leaves an enquiry, with a reference', async () => {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString();
  const page = await openSite(shared.browser, gateway, { world: { availability: { ...AWAY, opens_at: opensAt } } });
  await openChat(page);
  await intro(page).filter({ hasText: 'Nobody is here' }).waitFor();
  await page.locator('#holdline .status', { hasText: 'We are back' }).waitFor();
  const before = (await conversations()).length;
  await fillForm(page, { message: 'Please call me back.' });
  await page.click('#holdline .form .primary');
  await page.locator('#holdline .done h3', { hasText: 'we have your message' }).waitFor();
  const status = await gateway.request(`/v1/enquiries/${await reference(page)}`);
  assert.equal(status.status, 200);
  const all = await conversations();
  assert.equal(all.length, before + 1);
  const [entry] = await shared.agent.entries(all[0].id);
  assert.equal(entry.body.message.text, 'Please call me back.');
  assert.equal(entry.body.context.page, `${gateway.url}/`);
  await end(page);
});

widgetTest('the last agent leaves while the form is filled in: it becomes the other form, with all text', async () => {
  const page = await openSite(shared.browser, gateway);
  await openChat(page);
  await page.locator('#holdline .primary', { hasText: 'Start chat' }).waitFor();
  await fillForm(page, { message: 'I was writing this' });
  page.world.availability = AWAY;
  await intro(page).filter({ hasText: 'Nobody is here' }).waitFor({ timeout: 30_000 });
  assert.equal(await page.inputValue('#holdline #message'), 'I was writing this');
  assert.equal(await page.inputValue('#holdline #email'), 'jo@example.com');
  await page.locator('#holdline .primary', { hasText: 'Send message' }).waitFor();
  page.world.availability = HERE;
  await page.locator('#holdline .primary', { hasText: 'Start chat' }).waitFor({ timeout: 30_000 });
  assert.equal(await page.inputValue('#holdline #message'), 'I was writing this');
  await end(page);
});

widgetTest('the last agent leaves an open chat: it turns into the form, the draft moves along', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await page.type('#holdline #text', 'And could you');
  page.world.availability = AWAY;
  await intro(page).filter({ hasText: 'Nobody is here' }).waitFor({ timeout: 60_000 });
  assert.equal(await page.inputValue('#holdline #message'), 'And could you');
  assert.equal(await page.inputValue('#holdline #email'), 'jo@example.com', 'known from the first form');
  assert.ok(await page.locator('#holdline #message').evaluate((e) => e.matches(':focus')));
  await page.type('#holdline #message', ' write to me?');
  await page.check('#holdline #consent');
  await page.click('#holdline .form .primary');
  await waitForTexts(page, ['Hello?', 'And could you write to me?']);
  await settled(page);
  const entries = await shared.agent.entries(c);
  assert.deepEqual(entries.map(({ kind }) => kind), ['form', 'form']);
  assert.equal(entries[1].body.message.text, 'And could you write to me?');
  await shared.agent.say(c, 'Gladly.');
  await waitForTexts(page, ['Hello?', 'And could you write to me?', 'Gladly.']);
  await end(page);
});

widgetTest('the gateway is gone for long: the form, and what is sent waits and arrives once', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await gateway.kill();
  await say(page, 'Said before');
  await page.type('#holdline #text', 'Half a');
  await intro(page).filter({ hasText: 'no connection' }).waitFor({ timeout: 60_000 });
  assert.equal(await page.inputValue('#holdline #message'), 'Half a');
  await page.type('#holdline #message', ' sentence');
  await page.check('#holdline #consent');
  await page.click('#holdline .form .primary');
  await waitForTexts(page, ['Hello?', 'Said before', 'Half a sentence']);
  await page.locator('#holdline .message.queued .state', { hasText: 'Waiting for the connection' }).first().waitFor();
  await page.locator('#holdline .note', { hasText: 'kept here and sent later' }).waitFor();
  await gateway.start();
  await settled(page);
  assert.deepEqual((await shared.agent.entries(c)).map(({ body }) => body.text ?? body.message.text), ['Hello?', 'Said before', 'Half a sentence']);
  await end(page);
});

widgetTest('no gateway from the start: the enquiry waits on the device, over a reload, and is sent once', async () => {
  const page = await openSite(shared.browser, gateway);
  const before = (await conversations()).length;
  for (const path of [/\/v1\/(widget|availability)(\?|$)/, /\/v1\/(enquiries|poll|ws)$/]) await page.route(path, (route) => route.abort());
  await openChat(page);
  await intro(page).filter({ hasText: 'no connection' }).waitFor();
  await page.fill('#holdline #email', 'jo@example.com');
  await page.fill('#holdline #message', 'From nowhere');
  await page.click('#holdline .form .primary');
  await page.locator('#holdline .done.queued h3', { hasText: 'is waiting' }).waitFor();
  await page.reload();
  await openChat(page);
  await page.locator('#holdline .done.queued h3', { hasText: 'is waiting' }).waitFor();
  assert.equal((await conversations()).length, before);
  await page.unrouteAll();
  await page.locator('#holdline .done:not(.queued) h3').waitFor({ timeout: 60_000 });
  const status = await gateway.request(`/v1/enquiries/${await reference(page)}`);
  assert.equal(status.status, 200);
  assert.equal((await conversations()).length, before + 1);
  await page.reload();
  await launcher(page).waitFor();
  assert.equal((await conversations()).length, before + 1);
  await end(page);
});

widgetTest('who is there is what the gateway says: an agent comes, the form becomes a chat', async () => {
  const page = await openSite(shared.browser, gateway, { world: null });
  await openChat(page);
  await intro(page).filter({ hasText: 'Nobody is here' }).waitFor();
  await page.fill('#holdline #message', 'Hello?');
  const ann = new WebSocket(`${gateway.ws}/v1/events`, ['holdline.events.v1']);
  ann.onopen = () => ann.send(JSON.stringify({ t: 'auth', token: shared.agent.headers.authorization.slice(7) }));
  await page.locator('#holdline .primary', { hasText: 'Start chat' }).waitFor({ timeout: 30_000 });
  await page.locator('#holdline .status.online', { hasText: '1 person online' }).waitFor();
  assert.equal(await page.inputValue('#holdline #message'), 'Hello?');
  await page.click('#holdline .form .primary');
  await settled(page);
  ann.close();
  await end(page);
});

widgetTest('a site that asks nothing goes straight to the chat', async () => {
  const settings = { ...SETTINGS, form: { name: 'off', email: 'off', phone: 'off' }, consent: null };
  const page = await openSite(shared.browser, gateway, { world: { settings } });
  await openChat(page);
  await say(page, 'Straight away');
  await settled(page);
  await waitForTexts(page, ['Straight away']);
  await end(page);
});

widgetTest('mistakes are told at their fields, and the first one gets the focus', async () => {
  const page = await openSite(shared.browser, gateway);
  await openChat(page);
  await page.fill('#holdline #email', 'nonsense');
  await page.click('#holdline .form .primary');
  for (const name of ['email', 'message', 'consent']) {
    const field = page.locator(`#holdline #${name}`);
    assert.equal(await field.getAttribute('aria-invalid'), 'true', name);
    const error = await field.getAttribute('aria-describedby');
    assert.notEqual(await page.locator(`#holdline #${error}`).textContent(), '');
  }
  assert.ok(await page.locator('#holdline #email').evaluate((e) => e.matches(':focus')));
  await end(page);
});

async function sendPlainForm(page, message) {
  await page.fill('.contact [name=email]', 'jo@example.com');
  await page.fill('.contact [name=message]', message);
  if (!(await page.isChecked('.contact [name=consent]'))) await page.press('.contact [name=consent]', 'Space');
  await page.press('.contact button', 'Enter');
  await page.locator('h1', { hasText: 'Thank you' }).waitFor();
  const [found] = /HL-[0-9A-Z-]{14}/.exec(await page.textContent('main'));
  return found;
}

widgetTest('without JavaScript the plain form leaves an enquiry; twice the same is once', async () => {
  const page = await openPage(shared.browser, gateway.url, { javaScriptEnabled: false });
  assert.equal(await page.locator('#holdline').count(), 0);
  const first = await sendPlainForm(page, 'No script here');
  assert.equal((await gateway.request(`/v1/enquiries/${first}`)).status, 200);
  await page.goBack();
  assert.equal(await sendPlainForm(page, 'No script here'), first);
  await page.goBack();
  assert.notEqual(await sendPlainForm(page, 'Another one'), first);
  await page.context().close();
});

widgetTest('the loader is blocked: the plain form is there', async () => {
  const context = await shared.browser.newContext();
  const page = await context.newPage();
  await page.route('**/loader.js', (route) => route.abort());
  await page.goto(gateway.url);
  await page.locator('.contact').waitFor();
  assert.match(await sendPlainForm(page, 'No loader'), /^HL-/);
  await context.close();
});

widgetTest('the widget cannot be loaded: the plain form comes back; a later try works', async () => {
  const page = await openSite(shared.browser, gateway);
  await page.locator('.contact').waitFor({ state: 'hidden' });
  await page.route('**/widget.js', (route) => route.abort());
  await launcher(page).click();
  await page.locator('.contact').waitFor();
  await page.unroute('**/widget.js');
  await launcher(page).click();
  await panel(page).waitFor();
  await until(page, () => !document.querySelector('#holdline').shadowRoot.querySelector('.panel').hidden);
  await end(page);
});
