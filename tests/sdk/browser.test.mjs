// The SDK in real Chromium: what happens to visitors' links, pages and storage.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stateOf, untilPage, World } from './world.mjs';

const OPTIONS = { minReconnectDelay: 100, maxReconnectDelay: 1000 };
let world;
before(async () => {
  world = await World.open();
});
after(() => world?.close());

// A test with profiles of its own; what was written down in it is judged at its end.
function browserTest(name, run) {
  test(name, { timeout: 120_000 }, async (t) => {
    const profiles = [];
    world.history = [];
    world.proxy.setDown(false);
    world.proxy.webSocket = 'open';
    t.profile = async (options) => {
      const profile = await world.profile(options);
      profiles.push(profile);
      return profile;
    };
    try {
      await run(t);
    } catch (error) {
      for (const page of profiles.flatMap((profile) => profile.pages())) {
        t.diagnostic(JSON.stringify(await Promise.race([stateOf(page), new Promise((r) => setTimeout(r, 1000, 'no answer'))]).catch(String)));
      }
      throw error;
    } finally {
      for (const profile of profiles) await profile.close();
    }
  });
}

const say = (page, text) => page.evaluate((said) => void window.say(said), text);
const acked = (page, text) => untilPage(page, (said) => window.acks.includes(said), text);
const given = (page, text) => untilPage(page, (said) => window.got.includes(said), text);
const isLive = (page) => untilPage(page, () => ['connected', 'degraded'].includes(window.chat.state));
const idOf = (page) => page.evaluate(() => window.conversation.id);

async function open(t, more = {}) {
  const profile = await t.profile();
  const page = await world.tab(profile, { options: OPTIONS, ...more });
  await isLive(page);
  await say(page, 'hello');
  await acked(page, 'hello');
  return { profile, page, c: await idOf(page) };
}

function answer(c, text) {
  const headers = { authorization: `Bearer ${world.key}` };
  const mid = text.replace(/\W/g, '-');
  world.history.push({ ts: 0, client: 'desk', op: 'send', c, mid, body: text });
  return world.gateway.request(`/v1/conversations/${c}/messages/${mid}`, { method: 'PUT', headers, body: { body: { text } } });
}

async function judge(c, clients = ['visitor']) {
  const { code, report } = await world.judge(c, clients);
  assert.equal(code, 0, report);
}

// Each callback was given exactly this, in this order.
async function gave(page, texts) {
  await untilPage(page, (n) => window.got.length >= n, texts.length);
  assert.deepEqual(await page.evaluate(() => window.got), texts);
}

browserTest('a chat over WebSocket', async (t) => {
  const { page, c } = await open(t);
  assert.equal((await stateOf(page)).state, 'connected');
  await answer(c, 'good day');
  await gave(page, ['hello', 'good day']);
  assert.equal(await page.evaluate(() => window.conversation.unread), 1);
  await page.evaluate(() => window.conversation.read());
  assert.equal(await page.evaluate(() => window.conversation.unread), 0);
  await judge(c);
  assert.deepEqual(page.errors, []);
});

browserTest('the network is cut and comes back', async (t) => {
  const { page, c } = await open(t);
  world.proxy.setDown(true);
  await untilPage(page, () => window.chat.state === 'connecting');
  await say(page, 'into the void');
  await answer(c, 'missed');
  world.proxy.setDown(false);
  await acked(page, 'into the void');
  await gave(page, ['hello', 'missed', 'into the void']);
  await judge(c);
});

for (const webSocket of ['refused', 'swallowed']) {
  browserTest(`WebSocket ${webSocket}: long-poll`, async (t) => {
    world.proxy.webSocket = webSocket;
    const { page, c } = await open(t);
    assert.equal((await stateOf(page)).state, 'degraded');
    await answer(c, 'over long-poll');
    await gave(page, ['hello', 'over long-poll']);
    await judge(c);
  });
}

browserTest('the gateway is killed and comes back', async (t) => {
  for (const transports of [['websocket'], ['longpoll']]) {
    const { page, c } = await open(t, { options: { ...OPTIONS, transports } });
    await world.gateway.kill();
    await untilPage(page, () => window.chat.state === 'connecting');
    await say(page, 'while it was dead');
    await world.gateway.start();
    await acked(page, 'while it was dead');
    await answer(c, 'here again');
    await gave(page, ['hello', 'while it was dead', 'here again']);
    await judge(c);
    world.history = [];
  }
});

browserTest('reloaded between saying and sending', async (t) => {
  const { page, c } = await open(t);
  world.proxy.setDown(true);
  await untilPage(page, () => window.chat.state === 'connecting');
  await say(page, 'first');
  await say(page, 'second');
  await untilPage(page, () => window.conversation.pending.every((p) => p.durable));
  await page.reload();
  await page.evaluate(() => window.begun);
  assert.deepEqual(await page.evaluate(() => window.conversation.pending.map((p) => [p.text, p.state])), [['first', 'queued'], ['second', 'queued']]);
  world.proxy.setDown(false);
  await acked(page, 'second');
  await gave(page, ['first', 'second']);
  const past = await page.evaluate(async () => {
    const all = [];
    for await (const message of window.conversation.messages()) all.push(message.text);
    return all;
  });
  assert.deepEqual(past, ['hello', 'first', 'second']);
  await judge(c);
});

browserTest('the last words of a page that goes', async (t) => {
  const { page, c } = await open(t);
  // Said in the same breath as leaving: the link has no time to carry it.
  await page.evaluate(() => {
    window.say('good bye');
    location.href = 'about:blank';
  });
  await page.waitForURL('about:blank');
  const deadline = Date.now() + 10_000;
  while (!(await world.transcript(c)).some((entry) => entry.body === 'good bye')) {
    assert.ok(Date.now() < deadline, 'it did not come');
  }
});

browserTest('a frozen tab', async (t) => {
  const { page, c, profile } = await open(t);
  const devtools = await profile.newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await answer(c, 'while asleep');
  await world.gateway.restart();
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await gave(page, ['hello', 'while asleep']);
  await say(page, 'awake');
  await acked(page, 'awake');
  await judge(c);
});

browserTest('storage blocked: it works, and says that nothing is kept', async (t) => {
  const profile = await t.profile();
  await profile.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get: () => { throw new DOMException('blocked', 'SecurityError'); } });
    }
  });
  const page = await world.tab(profile, { options: OPTIONS });
  await say(page, 'hello');
  await acked(page, 'hello');
  assert.equal((await stateOf(page)).durable, false);
  await judge(await idOf(page));
  assert.deepEqual(page.errors, []);
});

browserTest('storage that fails later is admitted', async (t) => {
  const { page, c } = await open(t);
  assert.equal((await stateOf(page)).durable, true);
  await page.evaluate(() => {
    const fail = () => { throw new DOMException('full', 'QuotaExceededError'); };
    Storage.prototype.setItem = fail;
    IDBObjectStore.prototype.put = fail;
  });
  await say(page, 'not kept');
  await acked(page, 'not kept');
  assert.equal((await stateOf(page)).durable, false);
  await judge(c);
});

browserTest('nothing is written before the first interaction', async (t) => {
  const profile = await t.profile();
  const page = await world.tab(profile, { begin: false });
  const written = () => page.evaluate(async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, document.cookie]);
  await page.evaluate(async () => {
    window.chat.connect();
    await window.chat.availability().catch(() => {});
  });
  assert.deepEqual(await written(), [0, 0, 0, '']);
  assert.equal(await page.evaluate(() => window.chat.hasSession), false);
  await page.evaluate(() => window.begin());
  await isLive(page);
  assert.equal(await page.evaluate(() => localStorage.length), 1);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), ['holdline:default:session']);
  await page.evaluate(() => window.chat.destroy({ forget: true }));
  assert.deepEqual((await written()).slice(0, 2), [0, 0]);
});

browserTest('two tabs: one leads, both hear everything once', async (t) => {
  const { page, profile, c } = await open(t);
  const other = await world.tab(profile, { name: 'other', options: OPTIONS, starts: true });
  await isLive(other);
  assert.deepEqual([(await stateOf(page)).leader, (await stateOf(other)).leader], [true, false]);
  await say(other, 'from the follower');
  await acked(other, 'from the follower');
  await answer(c, 'to both');
  await say(page, 'from the leader');
  await gave(page, ['hello', 'from the follower', 'to both', 'from the leader']);
  await gave(other, ['from the follower', 'to both', 'from the leader']);
  await page.close();
  await untilPage(other, () => window.chat.leader);
  await say(other, 'alone now');
  await acked(other, 'alone now');
  await judge(c, ['other']);
});

for (const way of ['Web Locks', 'signs of life']) {
  browserTest(`the leading tab crashes: the other takes over, by ${way}`, async (t) => {
    const profile = await t.profile();
    if (way === 'signs of life') await profile.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
    const leader = await world.tab(profile, { name: 'leader', options: OPTIONS });
    await isLive(leader);
    await say(leader, 'hello');
    await acked(leader, 'hello');
    const c = await idOf(leader);
    const other = await world.tab(profile, { name: 'other', options: OPTIONS, starts: true, path: '/' });
    await isLive(other);
    assert.equal((await stateOf(other)).leader, false);
    const devtools = await profile.newCDPSession(leader);
    await say(other, 'before');
    await acked(other, 'before');
    devtools.send('Page.crash').catch(() => {});
    await say(other, 'during');
    await answer(c, 'answer');
    await untilPage(other, () => window.chat.leader);
    await acked(other, 'during');
    await given(other, 'answer');
    await judge(c, ['other']);
  });
}

browserTest('an enquiry survives a reload and is there once', async (t) => {
  const profile = await t.profile();
  const page = await world.tab(profile, { begin: false });
  world.proxy.setDown(true);
  await page.evaluate(() => void window.chat.enquire({ contact: { email: 'ann@example.com' }, message: { text: 'call me' } }));
  await untilPage(page, () => localStorage.getItem('holdline:default:enquiries'));
  await page.reload();
  await page.evaluate(() => {
    window.enquiries = [];
    window.chat.on('enquiry', (enquiry) => window.enquiries.push(enquiry));
    window.chat.connect();
  });
  world.proxy.setDown(false);
  await untilPage(page, () => window.enquiries.length);
  const [{ reference }] = await page.evaluate(() => window.enquiries);
  assert.match(reference, /^HL-/);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
});

browserTest('destroy with forget leaves nothing, in no tab', async (t) => {
  const { page, profile } = await open(t);
  const other = await world.tab(profile, { name: 'other', options: OPTIONS });
  await isLive(other);
  await page.evaluate(() => window.chat.destroy({ forget: true }));
  await untilPage(other, () => window.chat.state === 'disconnected');
  assert.equal(await other.evaluate(() => localStorage.length), 0);
  assert.equal(await other.evaluate(() => window.chat.hasSession), false);
});
