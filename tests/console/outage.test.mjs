// What goes wrong: the gateway dies, the network goes, WebSockets are barred, the page is reloaded, the
// log is restored. Nothing typed is lost, and nothing is sent twice.
import assert from 'node:assert/strict';
import { createServer, connect } from 'node:net';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BLOCKADES } from '../browser/pages.mjs';
import { holdline } from '../support/gateway.mjs';
import { choose, claim, consoleTest, hears, item, say, transcript, useHouse, waitForBubbles } from './desk.mjs';

const house = useHouse();
const { gateway } = house;

const texts = async (c) => (await transcript(house, c)).filter(({ kind }) => kind === 'message').map(({ body }) => body.text);

consoleTest('a reply written while the gateway is dead is stored once', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Are you there?']);
  await claim(page, visitor.c);
  for (const round of [1, 2]) {
    await page.locator('.composer textarea').pressSequentially(`Yes, ${round}`);
    await gateway.kill();
    await page.locator('.composer textarea').press('Enter');
    await page.waitForSelector('.entry.pending');
    await page.waitForSelector('.banner:has-text("No connection")');
    await gateway.start();
    await hears(visitor, `Yes, ${round}`);
    await page.waitForSelector('.entry.pending', { state: 'detached' });
    await page.waitForSelector('.connection.live');
  }
  assert.deepEqual(await texts(visitor.c), ['Are you there?', 'Yes, 1', 'Yes, 2']);
});

consoleTest('a reply whose answer was lost is stored once', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Once?']);
  await claim(page, visitor.c);
  let lost = 0;
  await page.route('**/messages/*', async (route) => {
    const answer = await route.fetch();
    lost += 1;
    if (lost <= 2) await route.abort();
    else await route.fulfill({ response: answer });
  });
  await say(page, 'Once.');
  await waitForBubbles(page, ['Once?', 'Once.']);
  assert.deepEqual(await texts(visitor.c), ['Once?', 'Once.']);
});

consoleTest('what was typed without a network survives a reload', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Hello?']);
  await claim(page, visitor.c);
  await page.context().setOffline(true);
  await say(page, 'Typed in a tunnel');
  await page.waitForSelector('.entry.pending');
  await page.locator('.composer textarea').fill('and half a sen');
  await page.context().setOffline(false);
  await page.reload();
  await hears(visitor, 'Typed in a tunnel');
  await waitForBubbles(page, ['Hello?', 'Typed in a tunnel']);
  assert.equal(await page.locator('.composer textarea').inputValue(), 'and half a sen');
  assert.deepEqual(await texts(visitor.c), ['Hello?', 'Typed in a tunnel']);
});

consoleTest('what happened meanwhile is there when the network is back', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['First']);
  await choose(page, visitor.c);
  await waitForBubbles(page, ['First']);
  await page.context().setOffline(true);
  await visitor.publish('Second');
  const other = await t.visitor(['Somebody else']);
  await page.context().setOffline(false);
  await waitForBubbles(page, ['First', 'Second']);
  await item(page, other.c).waitFor();
});

for (const blockade of ['refused', 'swallowed']) {
  consoleTest(`with WebSocket ${blockade} the feed is an event stream`, house, async (t) => {
    const page = await t.console('ann', { prepare: BLOCKADES[blockade] });
    await page.waitForSelector('.connection.live[data-carrier="stream"]');
    const visitor = await t.visitor(['Through the stream']);
    await item(page, visitor.c).waitFor();
  });
}

consoleTest('with streams held back as well it is a long-poll', house, async (t) => {
  const page = await t.console('ann', { isSignedIn: false, prepare: BLOCKADES.refused });
  await page.route('**/v1/events*', (route) => (route.request().headers().accept === 'text/event-stream' ? route.abort() : route.continue()));
  await page.reload();
  await page.waitForSelector('.connection.live[data-carrier="poll"]');
  const visitor = await t.visitor(['Through the poll']);
  await item(page, visitor.c).waitFor();
});

// Another address of the gateway, as a second node has.
async function openDoor() {
  const target = new URL(gateway.url);
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

consoleTest('when a node goes away the console goes on with another', house, async (t) => {
  const first = await openDoor();
  await gateway.stop();
  gateway.env = { HOLDLINE_ORIGINS: `${first.url},${gateway.url}` };
  await gateway.start();
  try {
    const page = await t.console('ann', { path: `${first.url}/console/`, isSignedIn: false });
    await page.evaluate((nodes) => localStorage.setItem('holdline.console.settings', JSON.stringify({ nodes })), [gateway.url]);
    await page.goto(`${first.url}/console/#key=${house.keys.ann}`);
    await page.reload();
    await page.waitForSelector('.connection.live');
    const visitor = await t.visitor(['Which node?']);
    await claim(page, visitor.c);
    first.close();
    await say(page, 'Any of them.');
    await hears(visitor, 'Any of them.');
    await page.waitForSelector(`.connection.live[title*="${new URL(gateway.url).host}"]`);
    await visitor.publish('Thanks');
    await waitForBubbles(page, ['Which node?', 'Any of them.', 'Thanks']);
  } finally {
    first.close();
    await gateway.stop();
    gateway.env = {};
    await gateway.start();
  }
});

consoleTest('after a restore from a backup everything is loaded anew', house, async (t) => {
  const page = await t.console('ann');
  const visitor = await t.visitor(['Before the backup']);
  await choose(page, visitor.c);
  const backup = join(gateway.folder, 'backup');
  assert.equal((await holdline(['backup', '--data', gateway.data, '--to', backup])).code, 0);
  const late = await t.visitor(['Lost with the disk']);
  await item(page, late.c).waitFor();
  await Promise.all([visitor.close(), late.close()]);
  await gateway.kill();
  renameSync(gateway.data, `${gateway.data}.old`);
  assert.equal((await holdline(['restore', '--from', backup, '--data', gateway.data])).code, 0);
  await gateway.start();
  await item(page, late.c).waitFor({ state: 'detached' });
  await item(page, visitor.c).waitFor();
  await waitForBubbles(page, ['Before the backup']);
  rmSync(`${gateway.data}.old`, { recursive: true });
});
