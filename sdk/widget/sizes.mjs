// What dist/ weighs, against the limits and against sizes.json: growth is a decision, made by
// sizes.mjs --record.
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const RECORD = new URL('sizes.json', import.meta.url);
const LIMITS = { 'loader.js': 1536, 'widget.js': 30 * 1024 };
const LIMIT_IN_ALL = 30 * 1024;
const GROWTH = 1.03;

const sizeOf = (name) => gzipSync(readFileSync(new URL(`dist/${name}`, import.meta.url)), { level: 9 }).length;
const sizes = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, sizeOf(name)]));
if (process.argv.includes('--record')) writeFileSync(RECORD, `${JSON.stringify(sizes, null, 2)}\n`);
const record = JSON.parse(readFileSync(RECORD, 'utf8'));
const inAll = Object.values(sizes).reduce((sum, one) => sum + one);

function check(name, now, allowed) {
  console.log(`${name}: ${now} bytes gzip, ${allowed} allowed`);
  if (now > allowed) process.exitCode = 1;
}

for (const [name, now] of Object.entries(sizes)) check(name, now, Math.floor(Math.min(LIMITS[name], record[name] * GROWTH)));
check('in all', inAll, LIMIT_IN_ALL);
