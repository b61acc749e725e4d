// What the page may rely on: nothing stored unasked, no CSP in the way, no message that is more than
// text, and the commands of the README.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import {
  HERE, SETTINGS,
  Agent, end, fillForm, launcher, NOTHING, openChat, openSite, panel, settled, startChat, stored, until, useWidget,
  waitForTexts,
} from './visitor.mjs';

const README = readFileSync(new URL('../../sdk/widget/README.md', import.meta.url), 'utf8');
const ROOT_README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

// A page of another origin: any HTML, with any policy.
const shop = { html: '', policy: '' };
const server = createServer((_, answer) => {
  answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...(shop.policy && { 'content-security-policy': shop.policy }) });
  answer.end(shop.html);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const SHOP = `http://127.0.0.1:${server.address().port}`;

const shared = useWidget({ env: { HOLDLINE_ORIGINS: SHOP }, done: () => server.close() });
const { gateway } = shared;

const widgetTest = (name, run) => test(name, { timeout: 120_000 }, run);

async function openShop(head, policy = '') {
  Object.assign(shop, { html: `<!doctype html><html lang="en"><title>Shop</title>${head}<h1>Any shop</h1>`, policy });
  return openSite(shared.browser, gateway, { address: `${SHOP}/` });
}

const hosts = (page) => page.evaluate(() => [...new Set(performance.getEntriesByType('resource').map(({ name }) => new URL(name).origin))]);

widgetTest('nothing is stored before the visitor sends something; then only by the page itself', async () => {
  const page = await openSite(shared.browser, gateway);
  await launcher(page).hover();
  await page.waitForResponse('**/widget.js');
  await until(page, () => window.holdline.queue === null);
  assert.deepEqual(await stored(page), NOTHING, 'after loading');
  await openChat(page);
  await fillForm(page, { message: 'Not sent yet' });
  assert.deepEqual(await stored(page), NOTHING, 'after opening and typing');
  assert.deepEqual(await page.context().cookies(), []);
  await page.click('#holdline .form .primary');
  await settled(page);
  const kept = await stored(page);
  assert.notDeepEqual(kept.local, []);
  for (const name of [...kept.local, ...kept.session, ...kept.databases]) assert.match(name, /^holdline/, name);
  assert.deepEqual(await page.context().cookies(), []);
  assert.deepEqual(await hosts(page), [gateway.url], 'nobody else is asked');
  await end(page);
});

widgetTest('a visitor may forget the chat on this device', async () => {
  const page = await openSite(shared.browser, gateway);
  await startChat(page);
  await page.click('#holdline .head .icon-button >> nth=0');
  await page.locator('#holdline .menu button', { hasText: 'End the chat' }).click();
  await page.locator('#holdline .note button').click();
  await page.locator('#holdline .form').waitFor();
  const { local, session } = await stored(page);
  assert.deepEqual([local, session], [[], []]);
  await end(page);
});

const HOSTILE = [
  '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">',
  'javascript:window.hacked=1 data:text/html,x vbscript:x',
  'https://bank.example@evil.example/ and https://good.example/"onmouseover="window.hacked=1',
  'Invoice \u202Egnp.exe\u202C \u2066isolated\u2069 \u200B\uFEFF',
  '👩‍👩‍👧‍👦 🏳️‍🌈 z̷̢̛a̸l̵g̶o̷ ' + 'a\u0301'.repeat(50),
  'w'.repeat(15_000),
  'www.example.com, mail to jo@example.com (see https://example.com/a_(b)).',
];

widgetTest('a message is text, whatever it says', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: HOSTILE[0] });
  for (const text of HOSTILE) await shared.agent.say(c, text);
  await until(page, (n) => document.querySelector('#holdline').shadowRoot.querySelectorAll('.bubble').length === n, HOSTILE.length + 1);
  const seen = await page.evaluate(() => {
    const bubbles = [...document.querySelector('#holdline').shadowRoot.querySelectorAll('.bubble')];
    return {
      hacked: window.hacked,
      elements: [...new Set(bubbles.flatMap((b) => [...b.querySelectorAll('*')].map((e) => e.localName)))],
      links: bubbles.flatMap((b) => [...b.querySelectorAll('a')].map((a) => [a.href, a.rel, a.target])),
      texts: bubbles.map((b) => b.textContent),
      wide: bubbles.some((b) => b.scrollWidth > b.clientWidth + 1),
    };
  });
  assert.deepEqual([seen.hacked, seen.elements, seen.wide], [undefined, ['a'], false]);
  assert.deepEqual(seen.links.map(([href]) => href), [
    'https://good.example/', 'https://www.example.com/', 'mailto:jo@example.com', 'https://example.com/a_(b)',
  ]);
  for (const [, rel, target] of seen.links) assert.deepEqual([rel, target], ['noopener noreferrer nofollow ugc', '_blank']);
  assert.equal(seen.texts[1], HOSTILE[0]);
  assert.ok(!seen.texts.some((text) => /[\u202a-\u202e\u2066-\u2069]/.test(text)), 'nothing turns the direction');
  await end(page);
});

widgetTest('the snippet of the README works on a page of another origin under a strict policy', async () => {
  const snippets = [README, ROOT_README].map((text) => /<script src="[^"]*\/sdk\/v1\/loader\.js"[^>]*><\/script>/.exec(text)?.[0]).filter(Boolean);
  assert.ok(snippets.length > 0);
  for (const snippet of snippets) {
    const tag = snippet.replace(/src="[^"]*\/sdk/, `src="${gateway.url}/sdk`).replace('<script', '<script nonce="r4nd0m"');
    const ws = gateway.url.replace('http', 'ws');
    const page = await openShop(tag,
      `default-src 'none'; script-src 'nonce-r4nd0m'; connect-src ${gateway.url} ${ws}; base-uri 'none'`);
    await startChat(page, { message: 'From another origin' });
    await waitForTexts(page, ['From another origin']);
    await end(page);
  }
});

widgetTest('pinned by hash: the loader and the widget are checked by the browser', async () => {
  const { files } = (await gateway.request('/sdk/v1/hashes.json')).json;
  const loader = files['loader.js'];
  const tag = (widgetHash) => `<script src="${gateway.url}${loader.url}" integrity="${loader.integrity}" crossorigin="anonymous" data-integrity="${widgetHash}" async></script>`;
  const good = await openShop(tag(files['widget.js'].integrity));
  await openChat(good);
  await end(good);
  const bad = await openShop(tag(loader.integrity));
  await launcher(bad).click();
  await until(bad, () => document.querySelector('#holdline').shadowRoot.querySelector('.launcher').title !== '');
  assert.equal(await panel(bad).count(), 0);
  await bad.context().close();
});

widgetTest('commands: before the script is there, and after', async () => {
  const page = await openSite(shared.browser, gateway, {
    prepare: () => {
      window.heard = [];
      window.holdline = [['on', 'open', () => window.heard.push('open')], ['on', 'close', () => window.heard.push('close')],
        ['on', 'message', ({ text }) => window.heard.push(text)], ['identify', { name: 'Jo', email: 'jo@example.com' }],
        ['set', 'context', { cart: 'Halo, brass' }], ['set', 'theme', 'dark'], ['open']];
      addEventListener('holdline:ready', () => window.heard.push('ready'));
    },
  });
  await panel(page).waitFor();
  assert.deepEqual(await page.evaluate(() => window.heard), ['ready', 'open']);
  assert.ok(await page.evaluate(() => document.activeElement === document.body), 'what opens by itself takes no focus');
  assert.equal(await page.inputValue('#holdline #name'), 'Jo');
  assert.equal(await page.locator('#holdline').getAttribute('data-theme'), 'dark');
  await page.fill('#holdline #message', 'Hello?');
  await page.check('#holdline #consent');
  await page.evaluate(() => window.holdline.push(['set', 'locale', 'de']));
  await page.locator('#holdline .primary', { hasText: 'Chat beginnen' }).waitFor();
  assert.equal(await page.inputValue('#holdline #message'), 'Hello?', 'what was typed stays');
  await page.click('#holdline .form .primary');
  await settled(page);
  const [{ id: c }] = (await shared.agent.call('GET', '/v1/conversations?limit=1')).data;
  assert.equal((await shared.agent.entries(c))[0].body.context.cart, 'Halo, brass');
  await shared.agent.say(c, 'Guten Tag');
  await until(page, () => window.heard.includes('Guten Tag'));
  await page.evaluate(() => window.holdline.push(['close']));
  await panel(page).waitFor({ state: 'hidden' });
  await page.evaluate(() => window.holdline.push(['toggle'], ['destroy', { forget: true }]));
  await page.locator('#holdline').waitFor({ state: 'detached' });
  await until(page, () => localStorage.length === 0);
  await end(page);
});

widgetTest('a visitor your server vouches for is known to agents', async () => {
  const admin = new Agent(gateway, await gateway.key('root', ['--role', 'admin']));
  const { identity_secret: secret } = await admin.call('POST', '/v1/sites/default/identity-secret');
  const id = 'customer-4711';
  const hash = createHmac('sha256', Buffer.from(secret, 'hex')).update(id).digest('hex');
  const page = await openSite(shared.browser, gateway);
  await launcher(page).waitFor();
  await page.evaluate((person) => window.holdline.push(['identify', person]), { id, hash, name: 'Jo Doe', email: 'jo@example.com' });
  const c = await startChat(page, { message: 'It is me' });
  const { identity, contact } = await shared.agent.call('GET', `/v1/conversations/${c}`);
  assert.equal(identity, id);
  assert.deepEqual([contact.name, contact.email, contact.verified], ['Jo Doe', 'jo@example.com', true]);
  await end(page);
});

widgetTest('the operator’s colour is used, with a text that can be read on it', async () => {
  for (const [accent, text] of [['#ffe14d', 'rgb(0, 0, 0)'], ['#123456', 'rgb(255, 255, 255)'], ['red;}*{color:red', null]]) {
    const page = await openShop(`<script src="${gateway.url}/sdk/v1/loader.js" async></script>`);
    page.world.settings = { ...SETTINGS, accent };
    await openChat(page);
    const color = await page.locator('#holdline .head').evaluate((e) => getComputedStyle(e).color);
    assert.equal(color, text ?? 'rgb(255, 255, 255)', accent);
    await end(page);
  }
});

widgetTest('who is there is told: how many, how long', async () => {
  const page = await openSite(shared.browser, gateway, { world: { availability: { ...HERE, expected_wait_s: 110 } } });
  await openChat(page);
  await page.locator('#holdline .status.online', { hasText: '2 people online · about 2 min wait' }).waitFor();
  await page.locator('#holdline #title', { hasText: 'Halden Lights' }).waitFor();
  await end(page);
});

widgetTest('the visitor’s own copy: reference, saved text', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await shared.agent.say(c, 'Good morning.');
  await waitForTexts(page, ['Hello?', 'Good morning.']);
  const shown = await page.locator('#holdline .chat .reference bdi').textContent();
  const { reference } = (await shared.agent.call('GET', `/v1/conversations/${c}`));
  assert.equal(shown, reference);
  await page.click('#holdline .head .icon-button >> nth=0');
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#holdline .menu button', { hasText: 'Save a copy' }).click()]);
  assert.equal(download.suggestedFilename(), `${reference}.txt`);
  const text = readFileSync(await download.path(), 'utf8');
  for (const part of [reference, 'Hello?', 'Good morning.']) assert.ok(text.includes(part), part);
  await end(page);
});
