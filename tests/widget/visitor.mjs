// A visitor on the example's page in Chromium, and an agent over HTTP: what the tests of the widget
// share. The gateway is the real one; only how many agents are there is answered by the test.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gateway } from '../support/gateway.mjs';
import { launch, openPage } from '../browser/pages.mjs';

export const SITE = fileURLToPath(new URL('../../examples/site', import.meta.url));
export const HERE = { open: true, agents_online: 2, queue: 0, expected_wait_s: null, opens_at: null };
export const AWAY = { ...HERE, open: false, agents_online: 0 };
export const SETTINGS = {
  site: 'default', inbox: 'inb_00000000000000000000000000000001', title: 'Halden Lights', greeting: null, accent: null,
  form: { name: 'optional', email: 'required', phone: 'off' },
  consent: { text: 'I agree that this is stored to answer me.', policy_url: '/privacy.html', required: true }, locale: null,
};

export const siteGateway = (env = {}) => new Gateway({ env: { HOLDLINE_PAGES: SITE, ...env } });

/** Opens the page. page.world says who is there; page.violations what the CSP had to stop. */
export async function openSite(browser, gateway, { address = `${gateway.url}/`, world = {}, context, prepare, ...options } = {}) {
  const page = context ? await context.newPage() : await openPage(browser, 'about:blank', { viewport: { width: 1000, height: 800 }, ...options });
  page.setDefaultTimeout(20_000);
  page.errors ??= [];
  if (context) page.on('pageerror', (error) => page.errors.push(String(error)));
  page.world = { availability: HERE, settings: SETTINGS, ...world };
  page.violations = [];
  await page.exposeFunction('reportViolation', (text) => page.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  if (prepare) await page.addInitScript(prepare);
  if (world === null) {
    await page.goto(address); // who is there is what the gateway says
    return page;
  }
  const answer = (route, json) => (gateway.isRunning ? route.fulfill({ json, headers: { 'access-control-allow-origin': '*' } }) : route.abort());
  await page.route(/\/v1\/widget(\?|$)/, (route) => answer(route, { ...page.world.settings, availability: page.world.availability }));
  await page.route(/\/v1\/availability(\?|$)/, (route) => answer(route, page.world.availability));
  await page.goto(address);
  return page;
}

export const launcher = (page) => page.locator('#holdline .launcher');
export const panel = (page) => page.locator('#holdline .panel');

export async function openChat(page) {
  await launcher(page).click();
  await panel(page).waitFor();
}

export async function fillForm(page, { message = 'Is the Halo in stock?', email = 'jo@example.com' } = {}) {
  await page.fill('#holdline #email', email);
  await page.fill('#holdline #message', message);
  const consent = page.locator('#holdline #consent');
  if (await consent.count()) await consent.check();
}

/** A chat that has begun: its first message is confirmed. Gives the conversation's id. */
export async function startChat(page, options) {
  await openChat(page);
  await fillForm(page, options);
  await page.click('#holdline .form .primary');
  await settled(page);
  return page.evaluate(() => {
    for (const key of Object.keys(localStorage)) {
      const found = /cnv_[0-9a-f]{32}/.exec(localStorage.getItem(key));
      if (found) return found[0];
    }
    return null;
  });
}

export async function say(page, text) {
  await page.fill('#holdline #text', text);
  await page.press('#holdline #text', 'Enter');
}

/** Until this is true in the page. Asked from here: waitForFunction needs eval, which the page forbids. */
export async function until(page, condition, argument, ms = 20_000) {
  const deadline = Date.now() + ms;
  while (!(await page.evaluate(condition, argument))) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const texts = (page) => page.locator('#holdline .bubble').allTextContents();

/** Until all of one's own stands in the transcript. */
export async function settled(page) {
  await page.locator('#holdline .message.own').first().waitFor();
  await until(page, () => {
    const { shadowRoot } = document.querySelector('#holdline');
    return !shadowRoot.querySelector('.message.queued, .message.sending, .message.failed');
  });
}

export async function waitForTexts(page, wanted) {
  try {
    await until(page, (expected) => {
      const all = [...document.querySelector('#holdline').shadowRoot.querySelectorAll('.bubble')].map((e) => e.textContent);
      return JSON.stringify(all) === JSON.stringify(expected);
    }, wanted);
  } catch (error) {
    throw new Error(`wanted ${JSON.stringify(wanted)}, there is ${JSON.stringify(await texts(page))}`, { cause: error });
  }
}

/** All that the page keeps in the browser. */
export const stored = (page) => page.evaluate(async () => ({
  cookies: document.cookie,
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
}));

export const NOTHING = { cookies: '', local: [], session: [], databases: [], caches: [] };

/** What an agent does, by the REST routes. */
export class Agent {
  constructor(gateway, key) {
    this.gateway = gateway;
    this.headers = { authorization: `Bearer ${key}` };
  }

  static async make(gateway, name) {
    return new Agent(gateway, await gateway.key(name));
  }

  async call(method, path, body, headers = {}) {
    const answer = await this.gateway.request(path, { method, ...(body && { body }), headers: { ...this.headers, ...headers } });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  say(c, text, more = {}) {
    return this.call('PUT', `/v1/conversations/${c}/messages/${randomUUID()}`, { body: { text }, ...more });
  }

  claim(c) {
    return this.call('PUT', `/v1/conversations/${c}/assignee`, {}, { 'if-none-match': '*' });
  }

  async turn(c, status) {
    const { headers } = await this.gateway.request(`/v1/conversations/${c}`, { headers: this.headers });
    return this.call('PATCH', `/v1/conversations/${c}`, { status }, { 'if-match': headers.etag });
  }

  async entries(c) {
    return (await this.call('GET', `/v1/conversations/${c}/messages?limit=200`)).data;
  }
}

/** What each file of widget tests shares: a gateway, an agent at it, Chromium. Filled before its first test. */
export function useWidget({ env, done } = {}) {
  const shared = { gateway: siteGateway(env), browser: null, agent: null };
  before(async () => {
    await shared.gateway.start();
    shared.agent = await Agent.make(shared.gateway, 'ann');
    shared.browser = await launch();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.gateway.remove();
    done?.();
  });
  return shared;
}

/** The page did its work without an error and without anything its policy had to stop. */
export async function end(page) {
  assert.deepEqual([page.errors, page.violations], [[], []]);
  await page.context().close();
}
