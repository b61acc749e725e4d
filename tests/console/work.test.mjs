// A day at the desk: conversations come, are claimed, answered, noted on, handed over and closed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { holdline } from '../support/gateway.mjs';
import { bubbles, choose, claim, composer, consoleTest, heard, hears, item, say, transcript, until, useHouse, waitForBubbles } from './desk.mjs';

const house = useHouse();

consoleTest('a key in the address is taken out of it at once', house, async (t) => {
  const page = await t.console('ann');
  assert.ok(!page.url().includes('hlk_'));
  await page.reload();
  await page.waitForSelector('.connection.live');
  assert.ok(await page.evaluate(() => !JSON.stringify({ ...sessionStorage, ...localStorage }).includes('hlk_')), 'no script can read the key');
});

consoleTest('from the first message to the closing, and what the visitor sees of it', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Is the red one in stock?']);
  await item(page, visitor.c).waitFor();
  assert.match(await item(page, visitor.c).textContent(), /Jo Doe.*Is the red one in stock\?/s);
  assert.match(await page.title(), /^\(1\)/);
  await claim(page, visitor.c);
  await page.click('.composer-modes button:has-text("Note")');
  await say(page, 'Regular customer, be nice');
  await page.waitForSelector('.entry.note:not(.pending)');
  await say(page, 'Yes, two of them.');
  await hears(visitor, 'Yes, two of them.');
  await visitor.send({ t: 'ack', c: visitor.c, e: visitor.positions.get(visitor.c).e, o: visitor.position, read: visitor.position });
  await page.waitForSelector('.mark-state.read');
  await visitor.send({ t: 'typing', on: true });
  await page.waitForSelector('.log .typing');
  await visitor.publish('Great, I take one');
  await waitForBubbles(page, ['Is the red one in stock?', 'Regular customer, be nice', 'Yes, two of them.', 'Great, I take one']);
  await page.click('[aria-label="Close"]');
  await page.waitForSelector('.state.closed');
  await visitor.publish('One more thing');
  await page.waitForSelector('.state.taken');
  assert.deepEqual(heard(visitor), ['Is the red one in stock?', 'Yes, two of them.', 'Great, I take one', 'One more thing']);
  assert.ok(!JSON.stringify(visitor.frames).includes('be nice'), 'the note never reached the visitor');
});

consoleTest('an answer to what nobody has claims it', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Hello?']);
  await choose(page, visitor.c);
  await say(page, 'Hello!');
  await hears(visitor, 'Hello!');
  await page.waitForSelector('.state.taken');
  assert.deepEqual((await transcript(house, visitor.c)).map(({ kind }) => kind), ['form', 'message', 'claimed', 'message']);
});

consoleTest('handed over to a colleague, who finds it on their desk', house, async (t) => {
  const ann = await t.console('ann');
  const ben = await t.console('ben');
  const visitor = await t.visitor(['Can you help me?']);
  await claim(ann, visitor.c);
  await ann.click('[aria-label="Transfer"]');
  await ann.click('[role=menuitem]:has-text("Ben Okafor")');
  await ann.waitForSelector('.composer-closed:has-text("Ben Okafor")');
  await ben.click('.rail-link:has-text("Mine")');
  await choose(ben, visitor.c);
  await ben.waitForSelector('.event[data-kind="transferred"]');
  await say(ben, 'Surely.');
  await hears(visitor, 'Surely.');
  await ann.waitForSelector('.here:has-text("Ben Okafor")');
});

consoleTest('canned replies, tags and fields', house, async (t) => {
  const page = await t.console('ann');
  await page.goto(`${house.gateway.url}/console/#/admin`);
  await page.fill('.new-canned input', 'hi');
  await page.fill('.new-canned textarea', 'Hello {name}, {agent} here about {reference}.');
  await page.click('.new-canned button');
  await page.waitForSelector('.canned-card:has-text("/hi")');
  const visitor = await t.visitor(['Hello'], { context: { page: 'https://shop.example/red', referrer: 'https://search.example/' } });
  await page.click('.rail-link:has-text("Unassigned")');
  await claim(page, visitor.c);
  await composer(page).pressSequentially('/h');
  await page.waitForSelector('.canned [aria-selected=true]');
  await composer(page).press('Enter');
  assert.match(await composer(page).inputValue(), /^Hello Jo Doe, Ann Becker here about HL-/);
  await composer(page).press('Enter');
  await visitor.until(() => heard(visitor).some((text) => text.startsWith('Hello Jo Doe')), 'the canned reply');
  await page.fill('.tags input', 'urgent');
  await page.press('.tags input', 'Enter');
  await page.waitForSelector('.tags .chip:has-text("urgent")');
  await page.waitForSelector('.rail-link:has-text("urgent")');
  await page.click('[aria-label="Remove urgent"]');
  await page.waitForSelector('.tags .chip', { state: 'detached' });
  assert.match(await page.textContent('.context'), /shop\.example\/red.*search\.example/s);
});

consoleTest('found by words, by name, and downloaded in every format', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Where is my zeppelin?'], { contact: { name: 'Ferdinand Graf', email: 'ferdinand@example.com' } });
  const other = await t.visitor(['Where is my bicycle?'], { contact: { name: 'Somebody Else', email: 'else@example.com' } });
  for (const words of ['zeppelin', 'Ferdinand']) {
    await page.click('[aria-label="Search"]');
    await page.fill('.search input', words);
    await item(page, other.c).waitFor({ state: 'detached' });
    await item(page, visitor.c).waitFor();
    await page.click('[aria-label="Leave the search"]');
  }
  await choose(page, visitor.c);
  for (const [label, ending] of [['HTML', 'html'], ['Text', 'txt'], ['NDJSON', 'ndjson'], [': JSON', 'json']]) {
    await page.click('.desk-deeds [aria-label="More"]');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[role=menuitem]:has-text("${label}")`)]);
    assert.match(download.suggestedFilename(), new RegExp(`^HL-.*\\.${ending}$`));
    assert.match(readFileSync(await download.path(), 'utf8'), /zeppelin/);
  }
});

consoleTest('a long transcript is read back without a hole', house, async (t) => {
  const page = await t.console('ann');
  const said = Array.from({ length: 150 }, (_, i) => `line ${i}`);
  const visitor = await t.visitor(said);
  await choose(page, visitor.c);
  await page.waitForSelector('.entry:has-text("line 149")');
  assert.ok((await bubbles(page)).length < 100, 'the newest page first');
  while ((await bubbles(page)).length < 150) {
    const count = (await bubbles(page)).length;
    await page.evaluate(() => document.querySelector('.log').scrollTo({ top: 0 }));
    await until(page, (before) => document.querySelectorAll('.entry .text').length > before, count);
  }
  assert.deepEqual(await bubbles(page), said);
});

consoleTest('a reply to what has moved on shows what came in between', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Red or blue?']);
  await claim(page, visitor.c);
  await page.route('**/messages/*', async (route) => {
    await visitor.publish('Forget it, green'); // on its way before the reply is
    await route.continue();
  }, { times: 1 });
  await say(page, 'Red it is.');
  await page.waitForSelector('.refused:has-text("Forget it, green")');
  assert.ok(!heard(visitor).includes('Red it is.'));
  await page.click('.refused button:has-text("Edit")');
  assert.equal(await composer(page).inputValue(), 'Red it is.');
  await say(page, 'Green it is.');
  await hears(visitor, 'Green it is.');
  assert.ok(!heard(visitor).includes('Red it is.'));
});

consoleTest('a revoked key ends the work at once; what was half written waits for the next', house, async (t) => {
  const { gateway } = house;
  const first = await gateway.key('Cat Ruiz');
  const { keys } = JSON.parse((await holdline(['key', 'list', '--data', gateway.data, '--json'])).stdout);
  const { id, key } = keys.find(({ name }) => name === 'Cat Ruiz');
  const page = await t.console('ann', { path: `${gateway.url}/console/`, isSignedIn: false });
  const signIn = async (secret) => {
    await page.fill('.door input', secret);
    await page.click('.door .primary');
    await page.waitForSelector('.connection.live');
  };
  await signIn(first);
  const visitor = await t.visitor(['Are you still there?']);
  await claim(page, visitor.c);
  await composer(page).fill('Half a sen');
  await holdline(['key', 'revoke', '--data', gateway.data, key]);
  await page.waitForSelector('.door .refusal:has-text("has ended")');
  await signIn(await gateway.key('Cat Ruiz', ['--agent', id]));
  await page.waitForSelector(`.desk[data-id="${visitor.c}"]`);
  assert.equal(await composer(page).inputValue(), 'Half a sen');
});

consoleTest('the sign-in of the organisation is offered where there is one', house, async (t) => {
  const page = await t.console('ann', { path: `${house.gateway.url}/console/`, isSignedIn: false });
  await page.waitForSelector('.door');
  assert.equal(await page.$('.door a'), null);
  const refusal = { title: '', detail: '', status: 401, code: 'unauthorized', retryable: false, request_id: '', oidc: true };
  await page.route('**/v1/session', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', json: refusal }));
  await page.reload();
  await page.waitForSelector('.door a[href="/v1/session/oidc?return=%2Fconsole%2F"]');
});

consoleTest('notifications are asked for by a click, and shown while nobody looks', house, async (t) => {
  const page = await t.console('ann', { prepare: () => {
    window.shown = [];
    window.asked = 0;
    window.Notification = class {
      static permission = 'default';
      static async requestPermission() {
        window.asked += 1;
        return (window.Notification.permission = 'granted');
      }
      constructor(title, { body }) {
        window.shown.push(`${title}: ${body}`);
      }
    };
    document.hasFocus = () => false;
  } });
  const first = await t.visitor(['Before it was wanted']);
  await item(page, first.c).waitFor();
  assert.deepEqual(await page.evaluate(() => [window.asked, window.shown]), [0, []]);
  await page.click('.person button');
  await page.click('[role=menuitem]:has-text("Settings")');
  await page.check('.check:has-text("notification") input');
  await page.keyboard.press('Escape');
  await first.publish('Now it is');
  await until(page, () => window.shown.includes('Jo Doe: Now it is'));
  assert.equal(await page.evaluate(() => window.asked), 1);
});
