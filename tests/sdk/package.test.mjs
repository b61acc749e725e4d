// The package as others get it: its size, its types, and that each format loads, in Node and in
// Chromium.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build, declare } from '../../sdk/js/build.mjs';
import { launch } from '../browser/pages.mjs';

const SDK = fileURLToPath(new URL('../../sdk/js/', import.meta.url));
const CONSUMER = fileURLToPath(new URL('consumer.ts', import.meta.url));
const SIZE_MAX = 10 * 1024;
const GROWTH_MAX = 1.03;
const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'holdline-package-'));
const installed = join(root, 'node_modules/@holdline/client');
const dist = join(installed, 'dist');
const manifest = JSON.parse(readFileSync(join(SDK, 'package.json'), 'utf8'));

before(async () => {
  mkdirSync(dist, { recursive: true });
  copyFileSync(join(SDK, 'package.json'), join(installed, 'package.json'));
  await build({ folder: dist });
  declare({ folder: dist });
});
after(() => rmSync(root, { recursive: true }));

test('no format is larger than 10 KB, or 3 % larger than recorded in size.json', () => {
  const recorded = JSON.parse(readFileSync(join(SDK, 'size.json'), 'utf8'));
  for (const [name, size] of Object.entries(recorded)) {
    const now = gzipSync(readFileSync(join(dist, name)), { level: 9 }).length;
    assert.ok(now <= SIZE_MAX, `${name}: ${now} bytes`);
    assert.ok(now <= size * GROWTH_MAX, `${name}: ${now} bytes, recorded ${size}`);
  }
});

test('the package depends on nothing and says what it is', () => {
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.sideEffects, false);
  for (const condition of ['import', 'require']) assert.equal(Object.keys(manifest.exports['.'][condition])[0], 'types');
});

test('nothing of a later language than ES2018 is in it', () => {
  const code = readFileSync(join(dist, 'index.js'), 'utf8');
  for (const [what, pattern] of Object.entries({ 'optional chaining': /\?\.[a-z(]/i, 'nullish coalescing': /\?\?/, 'private field': /this\.#/, 'bare catch': /catch\{/ })) {
    assert.doesNotMatch(code, pattern, what);
  }
});

for (const [resolution, module, name] of [['bundler', 'esnext', 'consumer.ts'], ['node16', 'node16', 'consumer.mts'], ['node16', 'node16', 'consumer.cts']]) {
  test(`the types are strict: ${name}, ${resolution}`, async () => {
    copyFileSync(CONSUMER, join(root, name));
    const tsc = createRequire(join(SDK, 'package.json')).resolve('typescript/bin/tsc');
    const args = [tsc, '--strict', '--noEmit', '--target', 'es2018', '--lib', 'es2018,dom', '--module', module, '--moduleResolution', resolution, name];
    await run(process.execPath, args, { cwd: root }).catch(({ stdout }) => assert.fail(stdout));
  });
}

const CHECK = "if (typeof Holdline !== 'function' || new Holdline({ url: 'http://localhost' }).state !== 'disconnected' || !(new HoldlineError('x') instanceof Error)) throw new Error('wrong');";
const PROGRAMS = {
  'import.mjs': `import { Holdline, HoldlineError } from '@holdline/client'; ${CHECK}`,
  'require.cjs': `const { Holdline, HoldlineError } = require('@holdline/client'); ${CHECK}`,
  'umd.cjs': `const { Holdline, HoldlineError } = require('@holdline/client/umd'); ${CHECK}`,
};
for (const [name, program] of Object.entries(PROGRAMS)) {
  test(`it loads in Node: ${name}`, async () => {
    writeFileSync(join(root, name), program);
    await run(process.execPath, [name], { cwd: root });
  });
}

test('the UMD file is a CommonJS module, too', () => {
  const module = { exports: {} };
  new Function('module', readFileSync(join(dist, 'holdline.umd.js'), 'utf8'))(module);
  assert.equal(module.exports.Holdline, module.exports);
  assert.equal(new module.exports.HoldlineError('x').code, 'x');
});

test('it loads in Chromium: as a module, and as a script with the global Holdline', { timeout: 60_000 }, async () => {
  const server = http.createServer(({ url }, response) => {
    const type = url.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'content-type': type });
    response.end(url.endsWith('.js') ? readFileSync(join(dist, url)) : '<!doctype html>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const asModule = await page.evaluate(async () => Object.keys(await import('/index.js')).sort());
    assert.deepEqual(asModule, ['Holdline', 'HoldlineError']);
    await page.addScriptTag({ url: '/holdline.umd.js' });
    assert.equal(await page.evaluate(() => new window.Holdline().state), 'disconnected');
    assert.equal(await page.evaluate(() => typeof window.Holdline.HoldlineError), 'function');
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
});
