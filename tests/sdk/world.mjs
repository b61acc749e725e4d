// What the browser tests of the SDK share: gateway, proxy, Chromium, and what is written down.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../browser/pages.mjs';
import { Client } from '../support/client.mjs';
import { Gateway } from '../support/gateway.mjs';
import { bundleSdk } from './bundle.mjs';
import { pageOf } from './page.mjs';
import { Proxy } from './proxy.mjs';

const CHECKER = process.env.HOLDLINE_CHECK_HISTORY ??
  fileURLToPath(new URL('../../build/tests/history/holdline-check-history', import.meta.url));
const ENV = { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' };
const DEADLINE_MS = 15_000;

export class World {
  history = [];

  static async open({ plants, env = {}, browser = true } = {}) {
    const world = new World();
    try {
      world.sdk = await bundleSdk(plants);
      world.gateway = await Gateway.start({ env: { ...ENV, ...env } });
      world.key = await world.gateway.key('ann');
      world.proxy = await new Proxy(world.gateway).start();
      world.proxy.pages['/'] = pageOf(world.sdk.umd);
      if (browser) world.browser = await launch();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  // A profile of its own: one visitor, however many tabs.
  async profile(options) {
    const context = await this.browser.newContext(options);
    await context.exposeFunction('record', (line) => {
      this.history.push(line);
    });
    return context;
  }

  async tab(context, { name = 'visitor', options = {}, begin = true, starts = false, path = '/' } = {}) {
    const query = new URLSearchParams({ name, options: JSON.stringify(options) });
    if (begin) query.set('begin', '');
    if (starts) query.set('starts', '');
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    await page.goto(`${this.proxy.url}${path}?${query}`);
    if (begin) await page.evaluate(() => window.begun);
    return page;
  }

  // An agent on a link of its own, past the proxy.
  async agent(c, name = 'agent') {
    const record = (line) => this.history.push({ ts: Math.round(performance.now() * 1000), client: name, ...line });
    const agent = new Client(this.gateway, { key: this.key, isPersistent: true, record });
    await agent.connect();
    record({ op: 'start', c, o: 0, role: 'agent' });
    await agent.subscribe(c);
    return agent;
  }

  async transcript(c) {
    const headers = { authorization: `Bearer ${this.key}` };
    const lines = [];
    for (let after = 0, more = true; more; ) {
      const { json } = await this.gateway.request(`/v1/conversations/${c}/messages?after=${after}`, { headers });
      for (const e of json.data) {
        lines.push({ c, e: json.epoch, o: e.offset, mid: e.client_id, author: e.from.id, body: e.body.text ?? '', kind: e.kind });
      }
      after = json.next_after;
      more = json.has_more;
    }
    return lines;
  }

  // What holdline-check-history says of all that was written down: {code, report}.
  async judge(c, clients) {
    const kept = await this.transcript(c);
    const head = kept.length;
    // A visitor learns the conversation's name after it has spoken first.
    const history = this.history.map((line) => ({ ...line, c: line.c || c }));
    for (const client of clients) history.push({ ts: 0, client, op: 'final', c, o: head });
    const folder = mkdtempSync(join(tmpdir(), 'holdline-history-'));
    const write = (name, lines) => {
      writeFileSync(join(folder, name), lines.map((line) => JSON.stringify(line) + '\n').join(''));
      return join(folder, name);
    };
    try {
      const args = [write('history.jsonl', history), '--transcript', write('kept.jsonl', kept)];
      return await new Promise((resolve) => {
        execFile(CHECKER, args, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, report: stdout + stderr, kept }));
      });
    } finally {
      if (!process.env.HOLDLINE_SDK_KEEP) rmSync(folder, { recursive: true });
    }
  }

  async close() {
    await this.browser?.close();
    await this.proxy?.stop();
    await this.gateway?.remove();
    this.sdk?.remove();
  }
}

// Until it is so in the page.
export const untilPage = (page, condition, argument, timeout = DEADLINE_MS) =>
  page.waitForFunction(condition, argument, { timeout, polling: 50 });

export const stateOf = (page) =>
  page.evaluate(() => ({
    state: window.chat.state, transport: window.chat.transport, leader: window.chat.leader, durable: window.chat.durable,
    position: window.conversation?.position, pending: window.conversation?.pending.map((p) => [p.text, p.state]),
    got: window.got.slice(-8), errors: window.errors, gaps: window.gaps.length,
  }));
