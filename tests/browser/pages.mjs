// Chromium with the example's pages, driven by playwright-core.
import { chromium } from 'playwright-core';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const DEADLINE_MS = 20_000;

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

// What a proxy may do to WebSockets; run in the page before its own scripts.
export const BLOCKADES = {
  refused: () => {
    window.WebSocket = class {
      static OPEN = 1;
      readyState = 3;
      constructor() {
        setTimeout(() => this.onclose?.({ code: 1006 }));
      }
      send() {}
      close() {}
    };
  },
  // The handshake passes, then nothing does.
  swallowed: () => {
    window.WebSocket = class {
      static OPEN = 1;
      readyState = 0;
      constructor() {
        setTimeout(() => {
          this.readyState = 1;
          this.onopen?.();
        });
      }
      send() {}
      close() {
        this.readyState = 3;
      }
    };
  },
};

// A page in a profile of its own. Errors of its scripts end up in page.errors.
export async function openPage(browser, url, { blockade, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 520, height: 760 }, ...options });
  if (blockade) await context.addInitScript(BLOCKADES[blockade]);
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  await page.goto(url);
  return page;
}

export async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

// What stands in the bubbles, without the page's greeting.
export const texts = (page) =>
  page.$$eval('#log .bubble .text', (all) => all.map((e) => e.textContent).filter((t) => !t.startsWith('Hello! Ask us')));

// Until the bubbles say exactly this, all of it confirmed.
export async function waitForTexts(page, expected) {
  try {
    await page.waitForFunction((wanted) => {
      const all = [...document.querySelectorAll('#log .bubble .text')].map((e) => e.textContent);
      const said = all.filter((t) => !t.startsWith('Hello! Ask us'));
      return !document.querySelector('#log .pending') && JSON.stringify(said) === JSON.stringify(wanted);
    }, expected);
  } catch (error) {
    throw new Error(`wanted ${JSON.stringify(expected)}, page shows ${JSON.stringify(await texts(page))}`, { cause: error });
  }
}
