// Two agents want one conversation: one has it, the other is told who.
import assert from 'node:assert/strict';
import { choose, consoleTest, item, transcript, useHouse } from './desk.mjs';

const house = useHouse();
const ROUNDS = 5;

consoleTest('of two who claim at once one wins, and the other sees who', house, async (t) => {
  const pages = { 'Ann Becker': await t.console('ann'), 'Ben Okafor': await t.console('ben') };
  for (let round = 0; round < ROUNDS; round += 1) {
    const visitor = await t.visitor([`Round ${round}`]);
    for (const page of Object.values(pages)) {
      await page.click('.rail-link:has-text("Unassigned")');
      await choose(page, visitor.c);
      await page.waitForSelector('.desk-deeds .primary');
    }
    // who sees the other's claim first has no button any more
    await Promise.all(Object.values(pages).map((page) => page.evaluate(() => document.querySelector('.desk-deeds .primary')?.click())));
    const claims = (await transcript(house, visitor.c)).filter(({ kind }) => kind === 'claimed');
    await Promise.all(Object.values(pages).map((page) => page.waitForSelector('.state.taken')));
    const told = await Promise.all(Object.entries(pages).map(async ([name, page]) => [name, await page.textContent('.state.taken')]));
    const [winner] = told.find(([, state]) => state === 'With you');
    const [loser, state] = told.find(([, words]) => words !== 'With you');
    assert.notEqual(loser, winner);
    assert.equal(state, `With ${winner}`);
    assert.ok(claims.length <= 1, 'claimed once');
    await pages[loser].waitForSelector(`.composer-closed:has-text("${winner}")`);
    await item(pages[loser], visitor.c).waitFor({ state: 'detached' }); // no longer unassigned
    await pages[winner].waitForSelector('.rail-link[aria-current]:has-text("Mine")');
  }
});

consoleTest('who looks at it and who writes is seen by the other', house, async (t) => {
  const ann = await t.console('ann');
  const ben = await t.console('ben');
  const visitor = await t.visitor(['Hello?']);
  await choose(ann, visitor.c);
  await choose(ben, visitor.c);
  await ann.waitForSelector('.here:has-text("Ben Okafor is here")');
  await ben.locator('.composer textarea').pressSequentially('Let me');
  await ann.waitForSelector('.here:has-text("Ben Okafor is typing")');
});
