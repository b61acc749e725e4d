// The widget's parts that need no browser.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('../../sdk/widget/src/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdline-widget-'));
let parts;

before(async () => {
  const names = ['accent', 'i18n', 'text', 'transcript', 'store', 'locales/en'];
  const entry = join(folder, 'entry.ts');
  writeFileSync(entry, names.map((name) => `export * from ${JSON.stringify(join(SOURCE, name))};`).join('\n'));
  await build({ entryPoints: [entry], outfile: join(folder, 'parts.mjs'), bundle: true, format: 'esm', logLevel: 'error' });
  parts = await import(pathToFileURL(join(folder, 'parts.mjs')));
});
after(() => rmSync(folder, { recursive: true }));

// The texts of a language's file, as it hands them in.
const read = new Map();
async function textsOf(code) {
  if (read.has(code)) return read.get(code);
  const outfile = join(folder, `${code}.mjs`);
  await build({ entryPoints: [join(SOURCE, 'locales', `${code}.ts`)], outfile, bundle: true, format: 'esm', logLevel: 'error' });
  globalThis.window = { holdline: { locales: {} } };
  await import(pathToFileURL(outfile));
  read.set(code, globalThis.window.holdline.locales[code]);
  return read.get(code);
}

test('links are found, and only where they are safe', () => {
  const links = (text) => parts.pieces(text).filter(({ href }) => href).map(({ text: shown, href }) => [shown, href]);
  assert.deepEqual(links('See https://example.com/a, or www.example.org.'), [
    ['https://example.com/a', 'https://example.com/a'], ['www.example.org', 'https://www.example.org/'],
  ]);
  assert.deepEqual(links('(https://example.com/a_(b)) jo@example.com!'), [
    ['https://example.com/a_(b)', 'https://example.com/a_(b)'], ['jo@example.com', 'mailto:jo@example.com'],
  ]);
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'https://bank.example@evil.example/', 'file:///etc/passwd', 'ftp://example.com']) {
    assert.deepEqual(links(text).filter(([, href]) => !href.startsWith('mailto:')), [], text);
  }
  for (const text of ['a <b> & "c"', 'no links', '', 'x'.repeat(15000)]) {
    assert.equal(parts.pieces(text).map((piece) => piece.text).join(''), text);
  }
  assert.equal(parts.plain('a\u202Eb\u2066c\u200Fd'), 'abc\u200Fd');
});

test('links are found in time that grows with the text, whatever it is', () => {
  for (const piece of ['a@', 'a.', 'www.', 'https://', '((((', 'x@x.x.']) {
    const began = Date.now();
    parts.pieces(piece.repeat(16000 / piece.length));
    assert.ok(Date.now() - began < 500, piece);
  }
});

test('the text on a colour can be read', () => {
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (let r = 0; r < 256; r += 17) for (let g = 0; g < 256; g += 17) for (let b = 0; b < 256; b += 17) {
    const text = parts.readableOn([r, g, b]) === '#000' ? 0 : 1;
    const [light, dark] = [Math.max(luminance([r, g, b]), text), Math.min(luminance([r, g, b]), text)];
    assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${r},${g},${b}`);
  }
});

test('every language has every text, with its blanks and its plural forms', async () => {
  const codes = readdirSync(join(SOURCE, 'locales')).map((name) => name.slice(0, -3)).filter((name) => !['add', 'en'].includes(name));
  assert.deepEqual(codes.sort(), [...parts.LOCALES].sort());
  const blanks = (text) => [...String(text.other ?? text).matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
  for (const code of codes) {
    const texts = await textsOf(code);
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(parts.en).sort(), code);
    for (const [key, text] of Object.entries(parts.en)) {
      assert.deepEqual(blanks(texts[key]), blanks(text), `${code} ${key}`);
      assert.equal(typeof texts[key], typeof text, `${code} ${key}`);
    }
  }
});

test('texts are filled in, in the plural form of the language', async () => {
  const ar = await textsOf('ar');
  const texts = new parts.Texts();
  assert.equal(texts.t('online', { n: 1 }), '1 person online');
  assert.equal(texts.t('online', { n: 1200 }), '1,200 people online');
  assert.equal(texts.t('typing', { name: '{text}' }), '{text} is writing…', 'what is filled in is not filled in again');
  await texts.choose({ locales: { ar }, load: () => Promise.reject(new Error('none')) }, ['xx', 'ar-EG', 'de']);
  assert.deepEqual([texts.locale, texts.isRightToLeft], ['ar-EG', true]);
  assert.match(texts.t('online', { n: 3 }), /أشخاص/);
  const other = new parts.Texts();
  await other.choose({ load: () => Promise.reject(new Error('none')) }, ['de']);
  assert.equal(other.locale, 'en', 'a file that cannot be had is no reason to stop');
});

test('the visitor’s copy has all that was said', () => {
  const message = (offset, own, kind, body, text = '') => ({ offset, own, kind, body, text, from: { role: own ? 'visitor' : 'agent', id: 'x', name: own ? undefined : 'Ann' }, at: '2026-03-01T09:30:00.123Z' });
  const text = parts.transcriptText([
    message(1, true, 'form', { message: { text: 'Hello?' }, contact: { email: 'jo@example.com' } }), message(2, false, 'claimed', {}),
    message(3, false, 'message', {}, 'Good morning.'),
  ], new parts.Texts(), 'Halden', 'HL-1');
  assert.match(text, /^Halden\nYour reference: HL-1\n\n.*You:\nHello\?\n\n.*Ann:\nGood morning\.\n$/);
});

test('blocked storage is memory for as long as the page lives', () => {
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: () => { throw new Error('blocked'); } });
  const store = new parts.Store('shop');
  store.set('local', 'widget', 'chat');
  assert.equal(store.get('local', 'widget'), 'chat');
  store.set('local', 'widget', null);
  assert.equal(store.get('local', 'widget'), null);
});
