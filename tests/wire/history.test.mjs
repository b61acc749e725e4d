// What clients on every transport write down while the gateway is killed again and again keeps
// every promise, as judged by a program that reads only that: docs/history.md.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TRANSPORTS, useGateway, wireTest } from '../support/suite.mjs';

const CHECKER = process.env.HOLDLINE_CHECK_HISTORY ??
  new URL('../../build/tests/history/holdline-check-history', import.meta.url).pathname;
const ROUNDS = 4;
const BURST = 10;
const gateway = useGateway({ env: { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });

function check(files) {
  return new Promise((resolve) => {
    execFile(CHECKER, files, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }));
  });
}

async function transcript(key, c) {
  const headers = { authorization: `Bearer ${key}` };
  const lines = [];
  for (let after = 0, more = true; more; ) {
    const { json } = await gateway.request(`/v1/conversations/${c}/messages?after=${after}`, { headers });
    for (const e of json.data) {
      lines.push({ c, e: json.epoch, o: e.offset, mid: e.client_id, author: e.from.id, body: e.body.text, kind: e.kind });
    }
    after = json.next_after;
    more = json.has_more;
  }
  return lines;
}

// Rejects when a client gives up.
function failures(clients) {
  return new Promise((_, reject) => {
    const timer = setInterval(() => {
      const failed = clients.find((client) => client.failure);
      if (!failed && clients.some((client) => !client.isClosed)) return;
      clearInterval(timer);
      if (failed) reject(failed.failure);
    }, 100);
  });
}

wireTest('histories of a crowd through kill -9', async (t) => {
  const key = await gateway.key('ann');
  const history = [];
  const connect = async (name, options) => {
    const record = (line) => history.push({ ts: Math.round(performance.now() * 1000), client: name, ...line });
    const client = await t.connect(gateway, { isPersistent: true, record, ...options });
    client.name = name;
    return client;
  };
  const visitors = [];
  for (let i = 0; i < 9; i += 1) {
    visitors.push(await connect(`visitor-${i}`, { transport: TRANSPORTS[i % 3], seed: i + 1 }));
  }
  await Promise.all(visitors.map((v) => v.publish(`${v.name}: hello`)));
  const agent = await connect('agent', { key, transport: 'websocket' });
  for (const { c } of visitors) {
    history.push({ ts: 0, client: 'agent', op: 'start', c, o: 0, role: 'agent' });
    await agent.subscribe(c);
  }
  const all = [...visitors, agent];
  const sends = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let i = 0; i < BURST; i += 1) {
      for (const v of visitors) sends.push(v.publish(`${v.name}: ${round}.${i}`));
      const { c, name } = visitors[i % visitors.length];
      sends.push(agent.publish(`agent to ${name}: ${round}.${i}`, { c, seq: 0 }));
    }
    await Promise.race(sends.slice(-BURST)); // some are confirmed, some are on their way
    await gateway.restart();
  }
  for (const answer of await Promise.race([Promise.all(sends), failures(all)])) assert.equal(answer.t, 'pub_ok');
  const kept = (await Promise.all(visitors.map((v) => transcript(key, v.c)))).flat();
  assert.equal(kept.length, visitors.length + sends.length);
  for (const client of all) {
    for (const { c } of client === agent ? visitors : [client]) {
      const head = kept.filter((e) => e.c === c).length;
      await client.until(() => client.positions.get(c)?.o === head, `${client.name} level`);
      history.push({ ts: 0, client: client.name, op: 'final', c, o: head });
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdline-history-'));
  try {
    const write = (name, lines) => {
      writeFileSync(join(folder, name), lines.map((line) => JSON.stringify(line) + '\n').join(''));
      return join(folder, name);
    };
    const file = write('history.jsonl', history);
    const good = await check([file, '--transcript', write('kept.jsonl', kept)]);
    assert.equal(good.code, 0, good.output);
    const lossy = await check([file, '--transcript', write('lossy.jsonl', kept.slice(1))]);
    assert.equal(lossy.code, 1, 'a lost entry is found');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
