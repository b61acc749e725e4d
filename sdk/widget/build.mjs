// Builds dist/: loader.js, widget.js and locales/*.js. The client is taken as sdk/js builds it.
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { minify } from 'terser';
import { build as buildClient } from '../js/build.mjs';

const SOURCES = fileURLToPath(new URL('src/', import.meta.url));
const DIST = fileURLToPath(new URL('dist/', import.meta.url));

async function css(name) {
  const { code } = await transform(readFileSync(join(SOURCES, name), 'utf8'), { loader: 'css', minify: true });
  return JSON.stringify(code.trim());
}

async function script(source, folder, options = {}) {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(SOURCES, source)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    ...options,
  });
  const { code } = await minify(text, { ecma: 2020, compress: { passes: 3 } });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${basename(source, '.ts')}.js`), `${code}\n`);
}

const client = mkdtempSync(join(tmpdir(), 'holdline-client-'));
try {
  await buildClient({ folder: client });
  rmSync(DIST, { recursive: true, force: true });
  await script('loader.ts', DIST, { define: { LAUNCHER_CSS: await css('launcher.css') } });
  await script('widget.ts', DIST, {
    define: { WIDGET_CSS: await css('widget.css') },
    alias: { '@holdline/client': join(client, 'index.js') },
  });
  const locales = readdirSync(join(SOURCES, 'locales')).filter((name) => !['add.ts', 'en.ts'].includes(name));
  for (const name of locales) await script(`locales/${name}`, join(DIST, 'locales'));
} finally {
  rmSync(client, { recursive: true });
}
