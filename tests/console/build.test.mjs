// What is built fits the policy it is served under, and stays small; the types hold.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CONSOLE } from './source.mjs';

const SCRIPT_BYTES_MAX = 80 * 1024;
const STYLE_BYTES_MAX = 16 * 1024;
const require = createRequire(import.meta.url);
const dist = mkdtempSync(join(tmpdir(), 'holdline-console-dist-'));
let page;
let assets;

const run = (script, ...args) => execFileSync(process.execPath, [script, ...args], { cwd: CONSOLE, stdio: ['ignore', 'pipe', 'inherit'] });
const program = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);
const packed = (ending) => assets.filter((name) => name.endsWith(ending))
  .reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, 'assets', name)), { level: 9 }).length, 0);

before(() => {
  run(program('vite', 'bin/vite.js'), 'build', '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn');
  page = readFileSync(join(dist, 'index.html'), 'utf8');
  assets = readdirSync(join(dist, 'assets'));
});
after(() => rmSync(dist, { recursive: true }));

test('types hold, strictly', () => {
  run(program('typescript', 'bin/tsc'), '--noEmit', '-p', CONSOLE);
});

test('the page holds neither script nor style of its own', () => {
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)/);
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=/);
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address, /^\/console\/assets\//);
});

test('every asset is named by its hash', () => {
  for (const name of assets) assert.match(name, /-[\w-]{8}\.(js|css|svg)$/);
});

test('nothing is evaluated, and nothing is loaded from elsewhere', () => {
  for (const name of assets.filter((one) => one.endsWith('.js'))) {
    const script = readFileSync(join(dist, 'assets', name), 'utf8');
    assert.doesNotMatch(script, /\beval\(|new Function\(|dangerouslySetInnerHTML=|document\.write/);
  }
  for (const name of assets.filter((one) => one.endsWith('.css'))) {
    assert.doesNotMatch(readFileSync(join(dist, 'assets', name), 'utf8'), /url\((?!["']?data:)|@import/);
  }
});

test('it is small', () => {
  assert.ok(packed('.js') <= SCRIPT_BYTES_MAX, `${packed('.js')} bytes of script, packed`);
  assert.ok(packed('.css') <= STYLE_BYTES_MAX, `${packed('.css')} bytes of style, packed`);
});
