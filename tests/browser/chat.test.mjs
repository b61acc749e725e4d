// A visitor and an agent in two browsers, while the gateway is killed and comes back.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gateway } from '../support/gateway.mjs';
import { launch, openPage, say, texts, waitForTexts } from './pages.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/chat', import.meta.url));
const PROTOCOL = new URL('../../docs/protocol.md', import.meta.url);
const pages = mkdtempSync(join(tmpdir(), 'holdline-pages-'));
const gateway = new Gateway({ env: { HOLDLINE_PAGES: pages } });
let browser;
let key;

before(async () => {
  cpSync(EXAMPLE, pages, { recursive: true });
  const [, worked] = /^```html\n([^]*?)^```$/m.exec(readFileSync(PROTOCOL, 'utf8'));
  writeFileSync(join(pages, 'worked.html'), worked);
  await gateway.start();
  key = await gateway.key('ann');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway.remove();
  rmSync(pages, { recursive: true });
});

// A visitor who has said something, and an agent at that conversation.
async function openChat({ blockade, query = '' }) {
  const visitor = await openPage(browser, `${gateway.url}/${query}`, { blockade });
  const agent = await openPage(browser, `${gateway.url}/agent.html${query}#${key}`, { blockade, viewport: { width: 1100, height: 760 } });
  await visitor.waitForSelector('.badge.live');
  await say(visitor, 'Is the red one in stock?');
  await waitForTexts(visitor, ['Is the red one in stock?']);
  const c = await visitor.evaluate(() => globalThis.chat.c);
  await agent.click(`#list button[data-id="${c}"]`);
  await waitForTexts(agent, ['Is the red one in stock?']);
  await agent.click('#claim');
  await agent.waitForSelector('#claim', { state: 'hidden' });
  return { visitor, agent, c };
}

async function closeChat({ visitor, agent }) {
  assert.deepEqual([...visitor.errors, ...agent.errors], []);
  await visitor.context().close();
  await agent.context().close();
}

const WAYS = {
  'on WebSocket': { transport: 'websocket' },
  'with WebSocket refused': { transport: 'longpoll', blockade: 'refused' },
  'with WebSocket swallowed by a proxy': { transport: 'longpoll', blockade: 'swallowed' },
  'on long-poll by choice': { transport: 'longpoll', query: '?transport=longpoll' },
};

for (const [way, { transport, ...options }] of Object.entries(WAYS)) {
  test(`a chat survives kill -9 ${way}`, { timeout: 90_000 }, async () => {
    const chat = await openChat(options);
    const { visitor, agent } = chat;
    await visitor.waitForSelector(`.badge[data-transport="${transport}"]`);
    const said = ['Is the red one in stock?'];
    for (let round = 0; round < 2; round += 1) {
      await say(agent, `Yes, ${round} of them.`);
      said.push(`Yes, ${round} of them.`);
      await waitForTexts(visitor, said);
      await visitor.fill('#text', 'And how late are');
      await gateway.kill();
      await visitor.type('#text', ' you open?');
      await visitor.press('#text', 'Enter');
      await say(visitor, `Round ${round}`);
      await visitor.waitForSelector('#log .pending');
      await gateway.start();
      said.push('And how late are you open?', `Round ${round}`);
      await waitForTexts(visitor, said);
      await waitForTexts(agent, said);
      await visitor.waitForSelector(`.badge.live[data-transport="${transport}"]`);
    }
    await visitor.reload();
    await waitForTexts(visitor, said);
    assert.deepEqual(await texts(agent), said);
    await closeChat(chat);
  });
}

test('what was typed without a connection survives a reload', { timeout: 60_000 }, async () => {
  const chat = await openChat({});
  const { visitor, agent } = chat;
  await visitor.route('**/v1/poll', (route) => route.abort());
  await gateway.kill();
  await say(visitor, 'Typed in a tunnel');
  await visitor.waitForSelector('#log .pending');
  const kept = await visitor.evaluate(() => localStorage.getItem('holdline.chat.session'));
  assert.ok(kept.includes('Typed in a tunnel'), 'it is stored before it is sent');
  await gateway.start();
  await visitor.unroute('**/v1/poll');
  await visitor.reload();
  await waitForTexts(visitor, ['Is the red one in stock?', 'Typed in a tunnel']);
  await waitForTexts(agent, ['Is the red one in stock?', 'Typed in a tunnel']);
  await closeChat(chat);
});

test('a second tab pauses, and takes over when asked', { timeout: 60_000 }, async () => {
  const first = await openPage(browser, `${gateway.url}/`);
  await first.waitForSelector('.badge.live');
  await say(first, 'From the first tab');
  await waitForTexts(first, ['From the first tab']);
  const second = await first.context().newPage();
  await second.goto(`${gateway.url}/`);
  await second.waitForSelector('.badge.elsewhere');
  await second.click('#notice button');
  await second.waitForSelector('.badge.live');
  await first.waitForSelector('.badge.elsewhere');
  await waitForTexts(second, ['From the first tab']);
  await say(second, 'From the second tab');
  await waitForTexts(second, ['From the first tab', 'From the second tab']);
  assert.deepEqual(first.errors, []);
  await first.context().close();
});

// Typing is not stored and may be lost; a person goes on typing.
async function typeUntilSeen(agent, visitor) {
  const seen = visitor.waitForSelector('#typing', { state: 'visible' });
  let isSeen = false;
  seen.then(() => (isSeen = true), () => (isSeen = true));
  while (!isSeen) await agent.type('#text', 'x', { delay: 200 });
  await seen;
}

test('states of a message, typing, notes and closing', { timeout: 60_000 }, async () => {
  const chat = await openChat({});
  const { visitor, agent, c } = chat;
  await visitor.waitForSelector('.bubble.own.read');
  await typeUntilSeen(agent, visitor);
  await agent.fill('#text', '');
  await agent.check('#internal');
  await say(agent, 'Regular customer');
  await agent.waitForSelector('.bubble.note:not(.pending)');
  await agent.uncheck('#internal');
  await say(agent, 'Let me look.');
  await waitForTexts(visitor, ['Is the red one in stock?', 'Let me look.']);
  await agent.waitForSelector('.bubble.own.message.read');
  await agent.click('#close');
  await visitor.waitForFunction(() => document.querySelector('#log').textContent.includes('Conversation closed'));
  await say(visitor, 'One more thing');
  await agent.waitForFunction((id) => document.querySelector(`#list button[data-id="${id}"]`)?.textContent.includes('One more thing'), c);
  await closeChat(chat);
});

test('the worked session in a browser works', { timeout: 60_000 }, async () => {
  const page = await openPage(browser, `${gateway.url}/worked.html`);
  const lines = (expected) =>
    page.waitForFunction((wanted) => document.querySelector('#log').innerText === wanted.join('\n'), expected);
  await page.fill('#text', 'one');
  await page.press('#text', 'Enter');
  await lines(['visitor: one']);
  await gateway.kill();
  await page.fill('#text', 'two');
  await page.press('#text', 'Enter');
  await gateway.start();
  await lines(['visitor: one', 'visitor: two']);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
