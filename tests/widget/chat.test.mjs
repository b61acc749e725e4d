// A visitor chats through the widget while all kinds of things go wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  end, launcher, openChat, openSite, panel, say, settled, siteGateway, startChat, texts, until, useWidget,
  waitForTexts,
} from './visitor.mjs';

const shared = useWidget();
const { gateway } = shared;

const widgetTest = (name, run) => test(name, { timeout: 120_000 }, run);

widgetTest('from the form through a chat to the rating', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Is the Halo in stock?' });
  const [form] = await shared.agent.entries(c);
  assert.equal(form.kind, 'form');
  assert.deepEqual([form.body.contact, form.body.consent], [{ email: 'jo@example.com' }, { privacy: true }]);
  assert.equal(form.body.context.page, `${gateway.url}/`);
  for (const name of ['title', 'locale', 'time_zone', 'referrer']) assert.equal(typeof form.body.context[name], 'string', name);

  await shared.agent.claim(c);
  await shared.agent.say(c, 'Yes, two of them.');
  await waitForTexts(page, ['Is the Halo in stock?', 'Yes, two of them.']);
  await page.locator('#holdline .notice', { hasText: 'ann has joined' }).waitFor();
  await page.locator('#holdline .message.other .author', { hasText: 'ann' }).waitFor();
  await page.locator('#holdline .status', { hasText: 'You are talking with ann' }).waitFor();
  await shared.agent.call('PUT', `/v1/conversations/${c}/positions/me`, { read: 1 });
  await page.locator('#holdline .message.own.read').waitFor();
  await page.fill('#holdline #text', 'Lovely.');
  await page.press('#holdline #text', 'Shift+Enter');
  await page.type('#holdline #text', 'One please.');
  await page.press('#holdline #text', 'Enter');
  await waitForTexts(page, ['Is the Halo in stock?', 'Yes, two of them.', 'Lovely.\nOne please.']);
  await settled(page);

  await shared.agent.turn(c, 'closed');
  await page.locator('#holdline .rating').waitFor();
  await page.click('#holdline .stars label:nth-of-type(4)');
  await page.fill('#holdline #comment', 'Quick!');
  await page.click('#holdline .rating .primary');
  await page.locator('#holdline .rating').waitFor({ state: 'detached' });
  await settled(page);
  await until(page, () => document.querySelector('#holdline').shadowRoot.textContent.includes('You gave 4 stars'));
  const rated = (await shared.agent.entries(c)).find(({ kind }) => kind === 'rated');
  assert.deepEqual(rated.body, { score: 4, comment: 'Quick!' });
  await end(page);
});

const WAYS = {
  'on WebSocket': {},
  'with WebSocket refused': { blockade: 'refused' },
  'with WebSocket swallowed by a proxy': { blockade: 'swallowed' },
};

for (const [way, options] of Object.entries(WAYS)) {
  widgetTest(`the gateway is killed in the middle of a sentence, ${way}`, async () => {
    const page = await openSite(shared.browser, gateway, options);
    const c = await startChat(page, { message: 'Hello?' });
    await page.type('#holdline #text', 'How late are');
    await gateway.kill();
    await page.type('#holdline #text', ' you open?');
    await page.press('#holdline #text', 'Enter');
    await page.locator('#holdline .message:is(.queued, .sending)').waitFor();
    await page.locator('#holdline .note', { hasText: 'Trying again' }).waitFor();
    await gateway.start();
    await settled(page);
    await page.locator('#holdline .note').waitFor({ state: 'hidden' });
    await shared.agent.say(c, 'Until six.');
    await waitForTexts(page, ['Hello?', 'How late are you open?', 'Until six.']);
    assert.deepEqual((await shared.agent.entries(c)).map(({ body }) => body.text ?? body.message.text), await texts(page));
    await end(page);
  });
}

widgetTest('the network is cut and comes back', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await page.context().setOffline(true);
  await say(page, 'From a tunnel');
  await shared.agent.say(c, 'Are you there?');
  await page.locator('#holdline .message:is(.queued, .sending)').waitFor();
  await page.context().setOffline(false);
  await settled(page);
  await until(page, () => document.querySelector('#holdline').shadowRoot.querySelectorAll('.bubble').length === 3);
  const said = (await shared.agent.entries(c)).map(({ body }) => body.text ?? body.message.text);
  assert.deepEqual(said, await texts(page));
  assert.deepEqual([...said].sort(), ['Are you there?', 'From a tunnel', 'Hello?']);
  await end(page);
});

widgetTest('a frozen tab has everything when it wakes', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  for (const text of ['One', 'Two', 'Three']) await shared.agent.say(c, text);
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await waitForTexts(page, ['Hello?', 'One', 'Two', 'Three']);
  assert.equal(await page.locator('#holdline .form').count(), 0, 'a tab that slept has not waited');
  await end(page);
});

widgetTest('a reload keeps the chat, the open window and the draft', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await shared.agent.say(c, 'Good morning.');
  await waitForTexts(page, ['Hello?', 'Good morning.']);
  await page.type('#holdline #text', 'Half a sent');
  await page.reload();
  await panel(page).waitFor();
  await waitForTexts(page, ['Hello?', 'Good morning.']);
  assert.equal(await page.inputValue('#holdline #text'), 'Half a sent');
  await launcher(page).click();
  await panel(page).waitFor({ state: 'hidden' });
  await shared.agent.say(c, 'Anything else?');
  await page.locator('#holdline .badge', { hasText: '1' }).waitFor();
  assert.match(await page.title(), /^\(1\) Halden/);
  assert.equal(await launcher(page).getAttribute('aria-label'), 'Open chat, 1 unread message');
  await page.reload();
  await page.locator('#holdline .badge', { hasText: '1' }).waitFor();
  await launcher(page).click();
  await waitForTexts(page, ['Hello?', 'Good morning.', 'Anything else?']);
  await page.locator('#holdline .badge').waitFor({ state: 'hidden' });
  assert.match(await page.title(), /^Halden/);
  await end(page);
});

widgetTest('two tabs are one chat, also when the first one closes', async () => {
  const first = await openSite(shared.browser, gateway);
  const c = await startChat(first, { message: 'Hello?' });
  const second = await openSite(shared.browser, gateway, { context: first.context() });
  await openChat(second);
  await waitForTexts(second, ['Hello?']);
  await say(second, 'From the second tab');
  await waitForTexts(first, ['Hello?', 'From the second tab']);
  await first.close();
  await shared.agent.say(c, 'Good morning.');
  await waitForTexts(second, ['Hello?', 'From the second tab', 'Good morning.']);
  await say(second, 'Still here');
  await settled(second);
  await waitForTexts(second, ['Hello?', 'From the second tab', 'Good morning.', 'Still here']);
  assert.equal((await shared.agent.entries(c)).length, 4);
  await end(second);
});

widgetTest('a chat that began in another tab is seen in a window that was open', async () => {
  const first = await openSite(shared.browser, gateway);
  const second = await openSite(shared.browser, gateway, { context: first.context() });
  await openChat(second);
  await startChat(first, { message: 'Hello?' });
  await waitForTexts(second, ['Hello?']);
  await end(first);
});

widgetTest('with all storage blocked it chats, and says what that means', async () => {
  const prepare = () => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get: () => { throw new DOMException('blocked', 'SecurityError'); } });
    }
  };
  const page = await openSite(shared.browser, gateway, { prepare });
  await openChat(page);
  await page.fill('#holdline #email', 'jo@example.com');
  await page.fill('#holdline #message', 'Hello?');
  await page.check('#holdline #consent');
  await page.click('#holdline .form .primary');
  await settled(page);
  await page.locator('#holdline .note', { hasText: 'leave this page open' }).waitFor();
  await say(page, 'Once more');
  await settled(page);
  assert.deepEqual(await texts(page), ['Hello?', 'Once more']);
  await end(page);
});

widgetTest('what the gateway refuses is shown as not sent, with what can be done about it', async () => {
  const strict = siteGateway({ HOLDLINE_BODY_BYTES_MAX: '1024' });
  await strict.start();
  const page = await openSite(shared.browser, strict);
  await startChat(page, { message: 'Hello?' });
  await say(page, 'x'.repeat(2000));
  const failed = page.locator('#holdline .message.failed');
  await failed.locator('.state', { hasText: 'Not sent' }).waitFor();
  await failed.locator('button', { hasText: 'Try again' }).click();
  await failed.locator('button', { hasText: 'Discard' }).click();
  await waitForTexts(page, ['Hello?']);
  await say(page, 'Shorter');
  await settled(page);
  await waitForTexts(page, ['Hello?', 'Shorter']);
  await end(page);
  await strict.remove();
});

widgetTest('what is too long stays where it was written', async () => {
  const page = await openSite(shared.browser, gateway);
  await startChat(page, { message: 'Hello?' });
  await page.fill('#holdline #text', 'é'.repeat(8000));
  await page.press('#holdline #text', 'Enter');
  await page.locator('#holdline .composer .error', { hasText: 'too long' }).waitFor();
  assert.equal((await page.inputValue('#holdline #text')).length, 8000, 'nothing that was typed is lost');
  await end(page);
});

widgetTest('typing is told both ways and forgotten', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  const { Client } = await import('../support/client.mjs');
  const ann = new Client(gateway, { key: shared.agent.headers.authorization.slice(7) });
  await ann.connect();
  await ann.subscribe(c);
  await page.type('#holdline #text', 'Well');
  await ann.until(() => ann.frames.some(({ t, on }) => t === 'typing' && on), 'typing of the visitor');
  await ann.send({ t: 'typing', c, on: true });
  await page.locator('#holdline .typing', { hasText: 'is writing' }).waitFor();
  await page.locator('#holdline .typing').waitFor({ state: 'hidden', timeout: 10_000 });
  await ann.close();
  await end(page);
});
