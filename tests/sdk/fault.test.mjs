// Two tabs of a visitor in Chromium talk to an agent through a proxy that drops, delays,
// duplicates, half-opens and blocks, while pages are reloaded; holdline-check-history says whether
// every message the SDK called sent is in the transcript once, and every message reached each
// callback once and in order.
//
//   HOLDLINE_SDK_SECONDS=600 HOLDLINE_SDK_SEED=7 node tests/sdk/fault.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASTE, PLANTS } from './bundle.mjs';
import { Weather } from './proxy.mjs';
import { newSeed, seeded } from './random.mjs';
import { stateOf, untilPage, World } from './world.mjs';

const SECONDS = Number(process.env.HOLDLINE_SDK_SECONDS ?? 25);
const PLANT_SECONDS = Number(process.env.HOLDLINE_SDK_PLANT_SECONDS ?? 10);
const OPTIONS = { minReconnectDelay: 100, maxReconnectDelay: 1500, pingGrace: 2000, ackTimeout: 1000 };
const LEVEL_MS = 90_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Says things at random moments until the time is over; reloads a tab now and then.
async function talk(world, { pages, agent, random, seconds, c, reloadMs }) {
  const end = performance.now() + seconds * 1000;
  const counts = { visitor: 0, agent: 0, reloads: 0 };
  const each = async (run, ms) => {
    while (performance.now() < end) {
      await pause(20 + random() * ms);
      await run();
    }
  };
  await Promise.all([
    ...pages.map((page, i) => each(async () => {
      if (page.isBusy) return;
      await page.evaluate((text) => void window.say(text), `visitor ${i}: ${(counts.visitor += 1)}`);
    }, 250)),
    each(async () => {
      agent.publish(`agent: ${(counts.agent += 1)}`, { c, seq: 0 });
    }, 250),
    each(async () => {
      const page = pages[Math.floor(random() * pages.length)];
      counts.reloads += 1;
      page.isBusy = true;
      await page.reload();
      await page.evaluate(() => window.begun);
      page.isBusy = false;
    }, reloadMs),
  ]);
  return counts;
}

async function run(t, { plant, seconds, seed, isLax, kinds }) {
  // A gateway that pings often finds what is lost within seconds.
  const world = await World.open({ plants: plant ? [HASTE, PLANTS[plant]] : [HASTE], env: { HOLDLINE_PING_MS: '2000', HOLDLINE_PONG_MS: '1500' } });
  try {
    const random = seeded(seed);
    const context = await world.profile();
    const first = await world.tab(context, { name: 'tab-1', options: OPTIONS });
    await first.evaluate(() => window.say('hello'));
    await untilPage(first, () => window.conversation.position === 1);
    const c = await first.evaluate(() => window.conversation.id);
    const second = await world.tab(context, { name: 'tab-2', options: OPTIONS, starts: true });
    const agent = await world.agent(c);
    const weather = new Weather(world.proxy, seeded(seed + 1), kinds);
    weather.start();
    const counts = await talk(world, { pages: [first, second], agent, random, seconds, c, reloadMs: plant ? 4000 : 24_000 });
    weather.end();
    await pause(100);
    await level(world, c, [first, second], agent, isLax);
    const { code, report, kept } = await world.judge(c, ['tab-1', 'tab-2', 'agent']);
    const figures = { seed, seconds, entries: kept.length, ...counts, lines: world.history.length, faults: world.proxy.counts };
    t.diagnostic(JSON.stringify(figures));
    assert.deepEqual([...first.errors, ...second.errors], []);
    await agent.close();
    return { code, report };
  } finally {
    await world.close();
  }
}

// Until everybody has everything, and nothing waits to be confirmed.
async function level(world, c, pages, agent, isLax) {
  try {
    for (const page of pages) await untilPage(page, () => window.conversation.pending.length === 0, null, isLax ? 15_000 : LEVEL_MS);
    await agent.until(() => !agent.outbox.length, 'the agent is done', LEVEL_MS);
    const head = (await world.transcript(c)).length;
    await agent.until(() => agent.positions.get(c)?.o === head, 'the agent is level', LEVEL_MS);
    for (const page of pages) await untilPage(page, (o) => window.conversation.position === o, head, isLax ? 15_000 : LEVEL_MS);
  } catch (error) {
    if (!isLax) {
      const states = await Promise.all(pages.map(stateOf));
      throw new Error(`not level: ${JSON.stringify(states)} ${JSON.stringify(world.proxy.counts)}`, { cause: error });
    }
  }
}

const timeout = (SECONDS + 240) * 1000;

test(`nothing is lost, doubled or reordered in ${SECONDS} s of faults`, { timeout }, async (t) => {
  const seed = newSeed();
  t.diagnostic(`HOLDLINE_SDK_SEED=${seed}`);
  const { code, report } = await run(t, { seconds: SECONDS, seed });
  assert.equal(code, 0, `seed ${seed}: ${report}`);
});

// What a run meets depends on the machine's pace too: a planted bug has to show in one of a few.
const PLANT_RUNS = 4;

for (const plant of Object.keys(PLANTS)) {
  test(`a planted bug is found: ${plant}`, { timeout }, async (t) => {
    const codes = [];
    while (codes.length < PLANT_RUNS && !codes.includes(1)) {
      const seed = 7 + codes.length;
      const { code, report } = await run(t, { plant, seconds: PLANT_SECONDS, seed, isLax: true, kinds: ['echo', 'rough'] });
      t.diagnostic(report.slice(0, 200));
      codes.push(code);
    }
    assert.ok(codes.includes(1), `the judge says so: ${codes}`);
  });
}
