// The SDK in Node against the real binary: each way to travel, with a history that is judged; and
// the program of its README.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { HASTE } from './bundle.mjs';
import { seeded } from './random.mjs';
import { World } from './world.mjs';

const README = new URL('../../sdk/js/README.md', import.meta.url);
const SDK = new URL('../../sdk/js/package.json', import.meta.url);
const OPTIONS = { minReconnectDelay: 50, maxReconnectDelay: 500, ackTimeout: 1000 };
let world;
let Holdline;
before(async () => {
  world = await World.open({ plants: [HASTE], browser: false });
  ({ Holdline } = await import(world.sdk.esm));
});
after(() => world?.close());

function memory() {
  const values = new Map();
  return { getItem: (k) => values.get(k) ?? null, setItem: (k, v) => values.set(k, v), removeItem: (k) => values.delete(k) };
}

// An application that writes down what it is told.
async function visitor(options) {
  const chat = new Holdline({ url: world.proxy.url, WebSocket, ...OPTIONS, ...options });
  const note = (line) => world.history.push({ ts: 0, client: 'visitor', ...line });
  chat.on('message', (m) => note({ op: 'deliver', c: m.conversation, e: m.epoch, o: m.offset, mid: m.clientId, author: m.from.id, body: m.text, kind: m.kind }));
  chat.on('ack', ({ clientId, message: m }) => note({ op: 'acked', c: m.conversation, e: m.epoch, o: m.offset, mid: clientId }));
  const conversation = await chat.start();
  const say = (text) => {
    const pending = conversation.send(text);
    note({ op: 'send', c: conversation.id, mid: pending.clientId, body: text });
    return pending;
  };
  return { chat, conversation, say };
}

for (const way of ['websocket', 'longpoll', 'mix']) {
  test(`through kill -9, on ${way}`, { timeout: 90_000 }, async () => {
    world.history = [];
    const random = seeded(11);
    const storage = memory();
    const transports = way === 'mix' ? undefined : [way];
    let { chat, conversation, say } = await visitor({ transports, storage });
    await say('hello').acked;
    const c = conversation.id;
    const agent = await world.agent(c);
    const sent = [];
    for (let round = 0; round < 4; round += 1) {
      if (way === 'mix') world.proxy.webSocket = random() < 0.5 ? 'refused' : 'open';
      for (let i = 0; i < 10; i += 1) {
        sent.push(say(`${round}.${i}`));
        agent.publish(`agent ${round}.${i}`, { c, seq: 0 });
      }
      await sent[sent.length - 10].acked;
      if (round === 2) { // as a program that ends and begins again
        await Promise.all(sent.map((pending) => pending.acked));
        chat.close();
        ({ chat, conversation, say } = await visitor({ transports, storage }));
      } else await world.gateway.restart();
      if (way === 'mix') world.proxy.cut();
    }
    world.proxy.webSocket = 'open';
    await Promise.all(sent.map((pending) => pending.acked));
    await agent.until(() => !agent.outbox.length, 'the agent is done', 20_000);
    const head = (await world.transcript(c)).length;
    await agent.until(() => agent.positions.get(c)?.o === head, 'the agent is level', 20_000);
    if (conversation.position < head) {
      await new Promise((resolve) => chat.on('message', ({ offset }) => offset === head && resolve()));
    }
    const past = [];
    for await (const { offset } of conversation.messages()) past.push(offset);
    assert.deepEqual(past, Array.from({ length: head }, (_, i) => i + 1));
    const { code, report } = await world.judge(c, ['visitor', 'agent']);
    assert.equal(code, 0, report);
    await agent.close();
    await chat.destroy();
  });
}

test('the program of the README', { timeout: 60_000 }, async () => {
  const [, program] = /^```js\n([^]*?)^```$/m.exec(readFileSync(README, 'utf8'));
  assert.equal(program.trim().split('\n').length, 5);
  const folder = join(world.sdk.folder, 'node_modules/@holdline/client');
  mkdirSync(folder, { recursive: true });
  symlinkSync(world.sdk.folder, join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), readFileSync(SDK));
  const file = join(world.sdk.folder, 'program.mjs');
  writeFileSync(file, `${program.replace('http://127.0.0.1:8080', world.gateway.url)}\nprocess.exit(0);\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000 });
  assert.equal(stdout, 'visitor: Is the red one in stock?\n');
});
