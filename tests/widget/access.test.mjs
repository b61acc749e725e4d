// The widget for everybody: axe in every state, keyboard, screen reader, zoom, right-to-left.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  AWAY, end, fillForm, launcher, openChat, openSite, panel, say, settled, startChat, until, useWidget,
  waitForTexts,
} from './visitor.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const TARGET_PX = 24;

const shared = useWidget();
const { gateway } = shared;

const widgetTest = (name, run) => test(name, { timeout: 180_000 }, run);

const inPanel = (page, selector) => page.locator(`#holdline ${selector}`);

// What axe has to say of the whole page, and what must have the size of a fingertip.
async function assertClean(page, state) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const { violations } = await window.axe.run(document, { runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`);
  }, TAGS);
  assert.deepEqual(found, [], state);
  const small = await page.evaluate((least) => {
    const all = document.querySelector('#holdline').shadowRoot.querySelectorAll('button, input, textarea, .stars label');
    return [...all].filter((e) => e.checkVisibility() && !e.classList.contains('sr'))
      .map((e) => ({ name: e.outerHTML.slice(0, 60), box: e.getBoundingClientRect() }))
      .filter(({ box }) => box.width < least || box.height < least).map(({ name, box }) => `${name} ${box.width}x${box.height}`);
  }, TARGET_PX);
  assert.deepEqual(small, [], `${state}: targets`);
}

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'right-to-left': { colorScheme: 'light', locale: 'ar' },
  'a phone': { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
};

for (const [look, { locale, ...options }] of Object.entries(LOOKS)) {
  widgetTest(`axe finds nothing in any state: ${look}`, async () => {
    const prepare = locale && (() => addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, { lang: 'ar', dir: 'rtl' })));
    const page = await openSite(shared.browser, gateway, { prepare, reducedMotion: 'reduce', ...options });
    await launcher(page).waitFor();
    await assertClean(page, 'launcher');
    await openChat(page);
    await assertClean(page, 'form');
    await page.click('#holdline .form .primary');
    await assertClean(page, 'form with mistakes');
    await fillForm(page, { message: 'Is the Halo in stock?' });
    await page.click('#holdline .form .primary');
    await settled(page);
    await assertClean(page, 'chat that waits');
    const [{ id: c }] = (await shared.agent.call('GET', '/v1/conversations?limit=1')).data;
    await shared.agent.claim(c);
    await shared.agent.say(c, 'Yes: https://example.com/halo');
    await inPanel(page, '.message.other').waitFor();
    await page.click('#holdline .head .icon-button >> nth=0');
    await inPanel(page, '.menu').waitFor();
    await assertClean(page, 'menu');
    await page.keyboard.press('Escape');
    await shared.agent.turn(c, 'closed');
    await inPanel(page, '.rating').waitFor();
    await page.press('#holdline #score4', 'Space');
    await assertClean(page, 'rating');
    await gateway.kill();
    await say(page, 'Are you there?');
    await inPanel(page, '.note').waitFor();
    await assertClean(page, 'connection lost');
    await gateway.start();
    await settled(page);
    await end(page);
  });
}

widgetTest('axe finds nothing in the enquiry and after it', async () => {
  const page = await openSite(shared.browser, gateway, { world: { availability: AWAY } });
  await openChat(page);
  await assertClean(page, 'enquiry');
  await fillForm(page);
  await page.click('#holdline .form .primary');
  await inPanel(page, '.done:not(.queued)').waitFor();
  await assertClean(page, 'thank you');
  await end(page);
});

// Tab until this has the focus.
async function tabTo(page, selector, key = 'Tab') {
  for (let n = 0; n < 40; n += 1) {
    if (await page.locator(selector).evaluate((e) => e.matches(':focus'))) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${selector} cannot be reached`);
}

widgetTest('everything works by keyboard alone; Escape closes and gives the focus back', async () => {
  const page = await openSite(shared.browser, gateway);
  await launcher(page).waitFor();
  await tabTo(page, '#holdline .launcher');
  await page.keyboard.press('Enter');
  await panel(page).waitFor();
  await tabTo(page, '#holdline #email');
  await page.keyboard.type('jo@example.com');
  await tabTo(page, '#holdline #message');
  await page.keyboard.type('By keyboard');
  await tabTo(page, '#holdline #consent');
  await page.keyboard.press('Space');
  await tabTo(page, '#holdline .form .primary');
  await page.keyboard.press('Enter');
  await settled(page);
  await tabTo(page, '#holdline #text');
  await page.keyboard.type('And this');
  await page.keyboard.press('Enter');
  await waitForTexts(page, ['By keyboard', 'And this']);
  await tabTo(page, '#holdline .head .icon-button >> nth=0', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await inPanel(page, '.menu').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  await inPanel(page, '.menu').waitFor({ state: 'hidden' });
  await panel(page).waitFor();
  await page.keyboard.press('Escape');
  await panel(page).waitFor({ state: 'hidden' });
  assert.ok(await launcher(page).evaluate((e) => e.matches(':focus')));
  assert.equal(await launcher(page).getAttribute('aria-expanded'), 'false');
  await end(page);
});

const focusIsInside = (page) => page.evaluate(() => Boolean(document.querySelector('#holdline').shadowRoot.activeElement?.closest('.panel')));

widgetTest('the focus stays inside where the window covers the page, and only there', async () => {
  const phone = await openSite(shared.browser, gateway, { viewport: { width: 390, height: 700 } });
  await openChat(phone);
  assert.equal(await panel(phone).getAttribute('aria-modal'), 'true');
  for (let n = 0; n < 12; n += 1) {
    await phone.keyboard.press(n < 8 ? 'Tab' : 'Shift+Tab');
    assert.ok(await focusIsInside(phone), `after ${n + 1} keys`);
  }
  await end(phone);
  const desk = await openSite(shared.browser, gateway);
  await openChat(desk);
  assert.equal(await panel(desk).getAttribute('aria-modal'), null);
  let hasLeft = false;
  for (let n = 0; n < 12 && !hasLeft; n += 1) {
    await desk.keyboard.press('Shift+Tab');
    hasLeft = !(await focusIsInside(desk));
  }
  assert.ok(hasLeft, 'the page can be reached');
  await end(desk);
});

// Whatever a screen reader was told since this was called.
async function listen(page) {
  await page.evaluate(() => {
    window.announced = [];
    const { shadowRoot } = document.querySelector('#holdline');
    const observe = () => {
      for (const region of shadowRoot.querySelectorAll('[role=log], [aria-live]')) {
        if (region.isHeard) continue;
        region.isHeard = true;
        new MutationObserver((records) => {
          for (const { addedNodes } of records) for (const node of addedNodes) window.announced.push(node.textContent);
        }).observe(region, { childList: true, subtree: true, characterData: true });
      }
    };
    observe();
    new MutationObserver(observe).observe(shadowRoot, { childList: true });
  });
}

const announced = (page) => page.evaluate(() => window.announced);

widgetTest('each new message of others is announced once, and nothing else is', async () => {
  const page = await openSite(shared.browser, gateway);
  const c = await startChat(page, { message: 'Hello?' });
  await listen(page);
  await shared.agent.say(c, 'Good morning.');
  await waitForTexts(page, ['Hello?', 'Good morning.']);
  await say(page, 'My own words');
  await settled(page);
  await gateway.restart();
  await shared.agent.say(c, 'Are you still there?');
  await waitForTexts(page, ['Hello?', 'Good morning.', 'My own words', 'Are you still there?']);
  const heard = await announced(page);
  assert.deepEqual(heard.map((text) => text.replace(/^[^:]*: /, '')), ['Good morning.', 'Are you still there?']);
  const log = page.locator('#holdline [role=log]');
  assert.equal(await log.count(), 1);
  assert.equal(await page.locator('#holdline .list').evaluate((e) => e.closest('[aria-live], [role=log]') !== null), false);

  await page.reload();
  await panel(page).waitFor();
  await listen(page);
  await waitForTexts(page, ['Hello?', 'Good morning.', 'My own words', 'Are you still there?']);
  assert.deepEqual(await announced(page), [], 'history is not read out');
  await shared.agent.say(c, 'One more.');
  await until(page, () => window.announced.length > 0);
  assert.equal((await announced(page)).length, 1);
  await end(page);
});

const overflow = (page) => page.evaluate(() => {
  const { shadowRoot } = document.querySelector('#holdline');
  const wide = [...shadowRoot.querySelectorAll('.panel, .panel *')].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1
    && !['inline', 'inline-block'].includes(getComputedStyle(e).display) && !e.matches('svg, svg *, .sr, .author, .meta, textarea, input'));
  return { page: document.documentElement.scrollWidth - document.documentElement.clientWidth, wide: wide.map((e) => e.className) };
});

for (const [name, viewport] of Object.entries({
  '200 % zoom': { width: 640, height: 400 }, '400 % zoom': { width: 320, height: 256 }, 'a small phone': { width: 320, height: 568 },
})) {
  widgetTest(`everything can be reached and read at ${name}`, async () => {
    const page = await openSite(shared.browser, gateway, { viewport, deviceScaleFactor: 2 });
    const c = await startChat(page, { message: 'Is the Halo in stock?' });
    await shared.agent.say(c, `A rather long answer, with one word that does not end: ${'x'.repeat(200)}`);
    await inPanel(page, '.message.other').waitFor();
    assert.deepEqual(await overflow(page), { page: 0, wide: [] });
    await say(page, 'Thank you');
    await settled(page);
    const box = await inPanel(page, '.composer').boundingBox();
    assert.ok(box.y + box.height <= viewport.height + 1, 'the composer is on the screen');
    await page.click('#holdline .head .icon-button >> nth=1');
    await panel(page).waitFor({ state: 'hidden' });
    await end(page);
  });
}

widgetTest('a page from right to left: texts, sides and direction', async () => {
  const prepare = () => addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, { lang: 'ar', dir: 'rtl' }));
  const page = await openSite(shared.browser, gateway, { prepare });
  const c = await startChat(page, { message: 'مرحبا' });
  assert.deepEqual([await panel(page).getAttribute('dir'), await panel(page).getAttribute('lang')], ['rtl', 'ar']);
  await shared.agent.say(c, 'أهلا وسهلا');
  await waitForTexts(page, ['مرحبا', 'أهلا وسهلا']);
  const button = await launcher(page).boundingBox();
  assert.ok(button.x < 100, 'the launcher is on the left');
  const own = await inPanel(page, '.message.own .bubble').boundingBox();
  const other = await inPanel(page, '.message.other .bubble').boundingBox();
  assert.ok(own.x < other.x + other.width && other.x + other.width > own.x + own.width, 'own words on the left, others on the right');
  await end(page);
});

widgetTest('no motion for those who do not want it; borders where colours are forced', async () => {
  const page = await openSite(shared.browser, gateway, { reducedMotion: 'reduce', forcedColors: 'active' });
  await startChat(page, { message: 'Hello?' });
  const style = await panel(page).evaluate((e) => ({ animation: getComputedStyle(e).animationName, border: getComputedStyle(e).borderTopWidth }));
  assert.deepEqual(style, { animation: 'none', border: '1px' });
  const bubble = await inPanel(page, '.own .bubble').evaluate((e) => getComputedStyle(e).borderTopColor);
  assert.notEqual(bubble, 'rgba(0, 0, 0, 0)');
  await end(page);
});
