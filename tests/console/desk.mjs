// Agents at their consoles in Chromium, and visitors who speak the protocol: what the browser tests of
// the console share. The gateway is the real one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from '../browser/pages.mjs';
import { Client } from '../support/client.mjs';
import { Gateway } from '../support/gateway.mjs';

const TEST_MS = 90_000;
const WAIT_MS = 20_000;
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

// One gateway and one browser for a file of tests.
export function useHouse(options) {
  const house = { gateway: new Gateway(options), keys: {} };
  before(async () => {
    await house.gateway.start();
    house.keys.ann = await house.gateway.key('Ann Becker', ['--role', 'admin']);
    house.keys.ben = await house.gateway.key('Ben Okafor');
    house.browser = await launch();
  });
  after(async () => {
    await house.browser?.close();
    await house.gateway.remove();
  });
  return house;
}

// A test whose pages must end without an error and without anything the policy had to stop.
export function consoleTest(name, house, run) {
  test(name, { timeout: TEST_MS }, async () => {
    const open = { pages: [], visitors: [] };
    const t = {
      console: async (who = 'ann', options) => {
        const page = await openConsole(house, who, options);
        open.pages.push(page);
        return page;
      },
      visitor: async (texts, form) => {
        const visitor = await openVisitor(house.gateway, texts, form);
        open.visitors.push(visitor);
        return visitor;
      },
    };
    try {
      await run(t);
      for (const page of open.pages) assert.deepEqual([page.errors, page.violations], [[], []]);
    } finally {
      await Promise.all(open.visitors.map((visitor) => visitor.close()));
      await Promise.all(open.pages.map((page) => page.context().close()));
    }
  });
}

export async function openConsole(house, who, { path, isSignedIn = true, prepare, ...options } = {}) {
  const page = await openPage(house.browser, 'about:blank', { viewport: DESKTOP, ...options });
  page.violations = [];
  await page.exposeFunction('reportViolation', (text) => page.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  if (prepare) await page.addInitScript(prepare);
  await page.goto(path ?? `${house.gateway.url}/console/#key=${house.keys[who]}`);
  if (isSignedIn) await page.waitForSelector('.connection.live');
  return page;
}

// A visitor who left a form and has said these things.
export async function openVisitor(gateway, texts, { contact = { name: 'Jo Doe', email: 'jo@example.com' }, ...form } = {}) {
  const visitor = new Client(gateway, { isPersistent: true });
  await visitor.connect();
  await visitor.publish({ contact, ...form }, { kind: 'form' });
  for (const text of texts) await visitor.publish(text);
  return visitor;
}

export const item = (page, c) => page.locator(`.item[data-id="${c}"]`);
export const composer = (page) => page.locator('.composer textarea');

// The conversation, on the desk.
export async function choose(page, c) {
  await item(page, c).click();
  await page.waitForSelector(`.desk[data-id="${c}"] .entries`);
}

export async function claim(page, c) {
  await choose(page, c);
  await page.click('.desk-deeds .primary');
  await page.waitForSelector('.state.taken');
}

export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

// Until it holds in the page. Asked from here: the page's policy lets nothing be evaluated inside.
export async function until(page, predicate, arg) {
  const deadline = Date.now() + WAIT_MS;
  while (!(await page.evaluate(predicate, arg))) {
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${predicate}`);
    await page.waitForTimeout(50);
  }
}

export const bubbles = (page) => page.$$eval('.entry .text', (all) => all.map((one) => one.textContent));

// Until the desk shows exactly this, all of it confirmed.
export async function waitForBubbles(page, expected) {
  try {
    await until(page, (wanted) => {
      const shown = [...document.querySelectorAll('.entry .text')].map((one) => one.textContent);
      return !document.querySelector('.entry.pending') && JSON.stringify(shown) === JSON.stringify(wanted);
    }, expected);
  } catch (error) {
    throw new Error(`wanted ${JSON.stringify(expected)}, the desk shows ${JSON.stringify(await bubbles(page))}`, { cause: error });
  }
}

// What the visitor has of messages.
export const heard = (visitor) => (visitor.entries.get(visitor.c) ?? []).filter(({ kind }) => kind === 'message').map(({ body }) => body.text);
export const hears = (visitor, text) => visitor.until(() => heard(visitor).includes(text), `"${text}"`, 20_000);

// The transcript as the gateway has it.
export async function transcript(house, c) {
  const headers = { authorization: `Bearer ${house.keys.ann}` };
  const { json } = await house.gateway.request(`/v1/conversations/${c}/messages?limit=200`, { headers });
  return json.data;
}
