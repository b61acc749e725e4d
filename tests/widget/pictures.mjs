// The pictures of the README: pictures.mjs FOLDER. Not a test; look at them.
import { join } from 'node:path';
import { launch } from '../browser/pages.mjs';
import { Agent, AWAY, fillForm, HERE, openChat, openSite, panel, settled, SETTINGS, siteGateway, waitForTexts } from './visitor.mjs';

const folder = process.argv[2] ?? '.';
const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, hasTouch: true, isMobile: true };
const ENGLISH = {
  ask: 'Hello! Is the Halo in stock in brass?',
  talk: [['Maren', 'Hello Jo! Yes, two of them are here in the shop.'], ['Maren', 'All the measures are here: https://halden.example/halo'],
    ['', 'Lovely. Can it be dimmed, and do you ship to Norway? 🇳🇴'], ['Maren', 'Yes to both. It would be with you on Thursday.'], ['', 'Then I take the brass one, please.']],
};
const ARABIC = {
  ask: 'مرحبا! هل مصباح Halo متوفر بالنحاس؟',
  talk: [['Maren', 'أهلا! نعم، لدينا اثنان منه في المتجر.'], ['', 'رائع. كم يستغرق التوصيل إلى عمّان؟'], ['Maren', 'خمسة أيام تقريبًا: https://halden.example/halo'], ['', 'شكرًا، سآخذ واحدًا.']],
};

const gateway = siteGateway();
await gateway.start();
const agent = await Agent.make(gateway, 'Maren');
const browser = await launch();

// On touch screens Enter makes a line: by the button.
async function write(page, text) {
  await page.fill('#holdline #text', text);
  await page.click('#holdline .submit');
}

async function chat(page, { ask, talk }) {
  await openChat(page);
  await fillForm(page, { message: ask });
  await page.click('#holdline .form .primary');
  await settled(page);
  const [{ id: c }] = (await agent.call('GET', '/v1/conversations?limit=1')).data;
  await agent.claim(c);
  const said = [ask];
  for (const [who, text] of talk) {
    if (who) await agent.say(c, text);
    else await write(page, text);
    said.push(text);
    await waitForTexts(page, said);
    await settled(page);
  }
  await settled(page);
  const all = await agent.entries(c);
  await agent.call('PUT', `/v1/conversations/${c}/positions/me`, { read: all[all.length - 1].offset });
  await page.locator('#holdline .message.own.read').last().waitFor();
  return c;
}

async function shoot(name, options, act) {
  const { whole = true, ...more } = options;
  const page = await openSite(browser, gateway, { reducedMotion: 'reduce', ...more });
  const found = (await act(page)) ?? page;
  await (whole ? page : found).screenshot({ path: join(folder, `widget-${name}.png`), ...(!whole && { omitBackground: true }) });
  if (page.errors.length) console.error(name, page.errors);
  await page.context().close();
}

const rtl = () => addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, { lang: 'ar', dir: 'rtl' }));
const wait = { availability: { ...HERE, expected_wait_s: 100 } };

await shoot('desktop', DESK, (page) => chat(page, ENGLISH).then(() => null));
await shoot('desktop-dark', { ...DESK, colorScheme: 'dark' }, (page) => chat(page, ENGLISH).then(() => null));
await shoot('form', { ...DESK, whole: false, world: wait }, async (page) => {
  await openChat(page);
  return panel(page);
});
await shoot('chat', { ...DESK, whole: false }, async (page) => {
  await chat(page, ENGLISH);
  return panel(page);
});
await shoot('away', { ...DESK, whole: false, world: { availability: AWAY } }, async (page) => {
  await openChat(page);
  await fillForm(page, { message: 'Do you repair lamps of other makers, too?' });
  await page.click('#holdline .form .primary');
  await page.locator('#holdline .done:not(.queued)').waitFor();
  return panel(page);
});
await shoot('phone', PHONE, (page) => chat(page, ENGLISH).then(() => null));
await shoot('phone-dark', { ...PHONE, colorScheme: 'dark' }, (page) => chat(page, ENGLISH).then(() => null));
await shoot('ar', { ...PHONE, prepare: rtl, world: { settings: { ...SETTINGS, title: null } } }, (page) => chat(page, ARABIC).then(() => null));
await shoot('zoom', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }, (page) => chat(page, ENGLISH).then(() => null));
await shoot('closed', { ...DESK, whole: false }, async (page) => {
  const c = await chat(page, ENGLISH);
  await agent.turn(c, 'closed');
  await page.locator('#holdline .rating').waitFor();
  await page.click('#holdline .stars label:nth-of-type(4)');
  return panel(page);
});
await shoot('lost', { ...DESK, whole: false, colorScheme: 'dark' }, async (page) => {
  await chat(page, ENGLISH);
  await gateway.kill();
  await write(page, 'Could you wrap it as a present?');
  await page.locator('#holdline .note').waitFor();
  return panel(page);
});
await browser.close();
await gateway.remove();
