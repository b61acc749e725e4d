// What README.md tells people to paste is pasted: the snippet into a page of another origin, the
// program into a file of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from '../browser/pages.mjs';
import { Gateway } from '../support/gateway.mjs';
import { EventStream } from '../support/http.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const TEST_MS = 90_000;
const EXAMPLE = 'http://127.0.0.1:8080';

// The one fenced block of this language that mentions the word.
function block(language, word) {
  const found = [...README.matchAll(/^```(\w+)\n([^]*?)^```/gm)].filter((m) => m[1] === language && m[2].includes(word));
  assert.equal(found.length, 1, `README.md has one block of ${language} with ${word}`);
  return found[0][2];
}

async function conversations(gateway, key) {
  const answer = await gateway.request('/v1/conversations', { headers: { authorization: `Bearer ${key}` } });
  assert.equal(answer.status, 200);
  return answer.json.data;
}

async function texts(gateway, key, id) {
  const answer = await gateway.request(`/v1/conversations/${id}/messages`, { headers: { authorization: `Bearer ${key}` } });
  return answer.json.data.map((entry) => entry.body.text ?? entry.body.message?.text).filter(Boolean);
}

async function reply(gateway, key, id, text) {
  const answer = await gateway.request(`/v1/conversations/${id}/messages/${randomUUID()}`, {
    method: 'PUT', headers: { authorization: `Bearer ${key}` }, body: { text } });
  assert.equal(answer.status, 201);
}

// A shop's page on an origin of its own, with nothing on it but the snippet.
function servePage(snippet) {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html')
    .end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><h1>Shop</h1>${snippet()}</html>`));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

test('the snippet puts a working chat on any page', { timeout: TEST_MS }, async () => {
  const gateway = new Gateway();
  let browser;
  let server;
  let feed;
  try {
    const snippet = () => block('html', 'loader.js').replaceAll(EXAMPLE, gateway.url);
    server = await servePage(snippet);
    const origin = `http://127.0.0.1:${server.address().port}`;
    gateway.env = { HOLDLINE_ORIGINS: origin };
    await gateway.start();
    const key = await gateway.key('ann');
    feed = new EventStream(`${gateway.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
    await feed.opened; // somebody is there, so that it is a chat and no enquiry
    browser = await launch();
    const page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(origin);
    await page.locator('#holdline .launcher').click();
    const message = page.locator('#holdline #message, #holdline textarea').first();
    await message.fill('Is the red one in stock?');
    const email = page.locator('#holdline #email');
    if (await email.count()) await email.fill('jo@example.com');
    await page.locator('#holdline .form .primary').click();
    await page.getByText('Is the red one in stock?').first().waitFor();
    let found = [];
    for (const end = Date.now() + 20_000; Date.now() < end && found.length === 0;) found = await conversations(gateway, key);
    assert.equal(found.length, 1);
    assert.ok((await texts(gateway, key, found[0].id)).includes('Is the red one in stock?'));
  } finally {
    feed?.close();
    await browser?.close();
    server?.close();
    server?.closeAllConnections();
    await gateway.remove();
  }
});

test('the program of five lines talks, and hears the answer', { timeout: TEST_MS }, async () => {
  const gateway = await Gateway.start();
  const folder = mkdtempSync(join(tmpdir(), 'holdline-readme-'));
  let child;
  try {
    const program = block('js', '@holdline/client');
    assert.equal(program.trim().split('\n').length, 5, 'five lines');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'chat.mjs'), program.replaceAll(EXAMPLE, gateway.url));
    const key = await gateway.key('ann');
    child = spawn(process.execPath, [join(folder, 'chat.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.match((await lines.next()).value, /Is the red one in stock\?/);
    const [conversation] = await conversations(gateway, key);
    assert.deepEqual(await texts(gateway, key, conversation.id), ['Is the red one in stock?']);
    await reply(gateway, key, conversation.id, 'Yes, two of them.');
    assert.match((await lines.next()).value, /agent.*Yes, two of them\./);
  } finally {
    child?.kill();
    rmSync(folder, { recursive: true, force: true });
    await gateway.remove();
  }
});
