// For everybody: axe, the keyboard alone, 200 % zoom, texts from right to left; and what visitors send
// is only ever text.
import assert from 'node:assert/strict';
import { checkAccess } from './access.mjs';
import { choose, claim, composer, consoleTest, DESKTOP, hears, item, PHONE, useHouse, waitForBubbles } from './desk.mjs';

const house = useHouse();
const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};

for (const colorScheme of ['light', 'dark']) {
  consoleTest(`axe finds nothing, ${colorScheme}`, house, async (t) => {
    const options = { colorScheme, reducedMotion: 'reduce' };
    const door = await t.console('ann', { ...options, path: `${house.gateway.url}/console/`, isSignedIn: false });
    await door.waitForSelector('.door');
    await checkAccess(door, 'door');
    const page = await t.console('ann', options);
    await checkAccess(page, 'empty desk');
    const visitor = await t.visitor(['Is it in stock?', 'مرحبا'], { message: { text: 'Hello' }, fields: { order: '17' }, consent: { marketing: false } });
    await claim(page, visitor.c);
    await page.fill('.tags input', 'order');
    await page.press('.tags input', 'Enter');
    await page.waitForSelector('.tags .chip');
    await page.click('.composer-modes button:has-text("Note")');
    await composer(page).fill('Note');
    await checkAccess(page, 'note');
    await composer(page).press('Enter');
    await page.waitForSelector('.entry.note:not(.pending)');
    await composer(page).fill('Yes');
    await composer(page).press('Enter');
    await waitForBubbles(page, ['Hello', 'Is it in stock?', 'مرحبا', 'Note', 'Yes']);
    await checkAccess(page, 'conversation');
    await page.click('[aria-label="Transfer"]');
    await checkAccess(page, 'menu');
    await press(page, 'Escape');
    await page.click('[aria-label="Search"]');
    await page.waitForSelector('.search');
    await checkAccess(page, 'search');
    await page.click('[aria-label="Leave the search"]');
    await page.keyboard.press('?');
    await checkAccess(page, 'help');
    await press(page, 'Escape');
    await page.click('.person button');
    await page.click('[role=menuitem]:has-text("Settings")');
    await checkAccess(page, 'settings');
    await press(page, 'Escape');
    await page.goto(`${house.gateway.url}/console/#/admin`);
    await page.waitForSelector('.admin table td');
    await checkAccess(page, 'workspace');
    await page.setViewportSize(PHONE);
    await page.goto(`${house.gateway.url}/console/#/mine`);
    await item(page, visitor.c).waitFor();
    await checkAccess(page, 'queue on a phone');
    await choose(page, visitor.c);
    await checkAccess(page, 'conversation on a phone');
    await page.click('.desk-deeds [aria-label="Details"]');
    await page.waitForSelector('.context');
    await checkAccess(page, 'details on a phone');
  });
}

consoleTest('signed in, claimed, answered and closed by the keyboard alone', house, async (t) => {
  const visitor = await t.visitor(['Keys only?']);
  const page = await t.console('ann', { path: `${house.gateway.url}/console/`, isSignedIn: false });
  await page.waitForSelector('.door input:focus');
  await page.keyboard.type(house.keys.ann);
  await press(page, 'Enter');
  await item(page, visitor.c).waitFor();
  for (let i = 0; i < 50 && !(await page.$(`.item[data-id="${visitor.c}"][aria-current]`)); i += 1) {
    await press(page, 'j');
    await page.waitForSelector('.item[aria-current]:focus');
  }
  await page.waitForSelector(`.desk[data-id="${visitor.c}"] .entry`);
  await press(page, 'c');
  await page.waitForSelector('.composer textarea:focus');
  await page.keyboard.type('Only keys.');
  await press(page, 'Control+Enter');
  await hears(visitor, 'Only keys.');
  await page.keyboard.type('aside');
  await press(page, 'Escape', 'n');
  await page.waitForSelector('.composer.note textarea:focus');
  await press(page, 'Enter');
  await page.waitForSelector('.entry.note:not(.pending)');
  await press(page, 'Escape', 'e');
  await page.waitForSelector('.state.closed');
  await press(page, '?');
  await page.waitForSelector('dialog[open]');
  await press(page, 'Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await press(page, '/');
  await page.waitForSelector('.search input:focus');
});

consoleTest('at 200 % nothing is cut off and all can be reached', house, async (t) => {
  const visitor = await t.visitor(['Can you read this?']);
  const page = await t.console('ann', { viewport: { width: DESKTOP.width / 2, height: DESKTOP.height / 2 }, deviceScaleFactor: 2 });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  await item(page, visitor.c).waitFor();
  assert.ok(await fits(), 'queue');
  await claim(page, visitor.c);
  await composer(page).fill('Perfectly.');
  await page.click('.send');
  await hears(visitor, 'Perfectly.');
  assert.ok(await fits(), 'desk');
  assert.ok(await page.locator('[aria-label="Close"]').first().isVisible());
});

consoleTest('what visitors send stays text', house, async (t) => {
  const evil = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>"\'><svg onload=window.broken=1>';
  const page = await t.console('ann');
  const visitor = await t.visitor([evil, 'javascript:window.broken=1'], {
    contact: { name: evil.slice(0, 190), email: 'x@example.com' },
    message: { text: evil },
    fields: { [evil.slice(0, 40)]: evil },
    context: { page: 'javascript:window.broken=1', referrer: `https://x.example/"><script>window.broken=1</script>` },
  });
  await claim(page, visitor.c);
  await waitForBubbles(page, [evil, evil, 'javascript:window.broken=1']);
  await page.fill('.tags input', '<b onclick=alert(1)>x');
  await page.press('.tags input', 'Enter');
  await page.waitForSelector('.tags .chip:has-text("<b onclick")');
  assert.equal(await page.$('a[href^="javascript:"]'), null);
  assert.equal(await page.$('.log img, .log script, .context img, .item img'), null);
  assert.equal(await page.evaluate(() => window.broken), undefined);
});

consoleTest('texts from right to left are shown so', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['مرحبا، هل لديكم خوذة؟'], { contact: { name: 'ليلى حداد', email: 'layla@example.com' } });
  await choose(page, visitor.c);
  await page.waitForSelector('.entry .text');
  assert.equal(await page.$eval('.entry.message .text', (one) => getComputedStyle(one).direction), 'rtl');
  assert.equal(await page.$eval('.desk-who h1', (one) => getComputedStyle(one).direction), 'rtl');
});
