// A visitor chats through the widget while all kinds of things go wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser/pages.mjs';
import {
  Agent, launcher, openChat, openSite, panel, say, settled, siteGateway, startChat, texts, waitForTexts,
} from './visitor.mjs';

const gateway = siteGateway();
let browser;
let agent;

before(async () => {
  await gateway.start();
  agent = await Agent.make(gateway, 'ann');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway.remove();
});

const widgetTest = (name, run) => test(name, { timeout: 120_000 }, run);

async function end(page) {
  assert.deepEqual([page.errors, page.violations], [[], []]);
  await page.context().close();
}

widgetTest('from the form through a chat to the rating', async () => {
  const page = await openSite(browser, gateway);
  const c = await startChat(page, { message: 'Is the Halo in stock?' });
  const [form] = await agent.entries(c);
  assert.equal(form.kind, 'form');
  assert.deepEqual([form.body.contact, form.body.consent], [{ email: 'jo@example.com' }, { privacy: true }]);
  assert.equal(form.body.context.page, `${gateway.url}/`);
  for (const name of ['title', 'locale', 'time_zone', 'referrer']) assert.equal(typeof form.body.context[name], 'string', name);

  await agent.claim(c);
  await agent.say(c, 'Yes, two of them.');
  await waitForTexts(page, ['Is the Halo in stock?', 'Yes, two of them.']);
  await page.locator('#holdline .notice').first().waitFor();
  await agent.call('PUT', `/v1/conversations/${c}/positions/me`, { read: 1 });
  await page.locator('#holdline .message.own.read').waitFor();
  await page.fill('#holdline #text', 'Lovely.');
  await page.press('#holdline #text', 'Shift+Enter');
  await page.type('#holdline #text', 'One please.');
  await page.press('#holdline #text', 'Enter');
  await waitForTexts(page, ['Is the Halo in stock?', 'Yes, two of them.', 'Lovely.\nOne please.']);
  await settled(page);

  await agent.turn(c, 'closed');
  await page.locator('#holdline .rating').waitFor();
  await page.click('#holdline .stars label:nth-of-type(4)');
  await page.fill('#holdline #comment', 'Quick!');
  await page.click('#holdline .rating .primary');
  await page.locator('#holdline .rating').waitFor({ state: 'detached' });
  await settled(page);
  await page.waitForFunction(() => document.querySelector('#holdline').shadowRoot.textContent.includes('You gave 4 stars'));
  const rated = (await agent.entries(c)).find(({ kind }) => kind === 'rated');
  assert.deepEqual(rated.body, { score: 4, comment: 'Quick!' });
  await end(page);
});
