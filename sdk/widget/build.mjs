// Builds dist/: loader.js, widget.js and locales/*.js.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { build, transform } from 'esbuild';

const DIST = new URL('dist/', import.meta.url);

const css = async (name) => {
  const { code } = await transform(readFileSync(new URL(`src/${name}`, import.meta.url), 'utf8'), { loader: 'css', minify: true });
  return JSON.stringify(code.trim());
};

async function bundle(entries, define = {}, outdir = '') {
  await build({
    entryPoints: entries.map((name) => new URL(`src/${name}`, import.meta.url).pathname),
    outdir: new URL(outdir, DIST).pathname,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    mangleProps: /^_/,
    legalComments: 'none',
    define,
  });
}

rmSync(DIST, { recursive: true, force: true });
const locales = readdirSync(new URL('src/locales/', import.meta.url)).filter((name) => !['add.ts', 'en.ts'].includes(name));
await bundle(['loader.ts'], { LAUNCHER_CSS: await css('launcher.css') });
await bundle(['widget.ts'], { WIDGET_CSS: await css('widget.css') });
await bundle(locales.map((name) => `locales/${name}`), {}, 'locales/');
