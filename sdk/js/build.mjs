// Builds dist/: the bundle in three formats and its types.
//
// Internal members begin with `_`. esbuild gives them short names; before that, those that are
// private to a module get names that all modules share, for fewer names compress better. terser
// then does what esbuild does not. A class that others extend must have no privates.
import { build as bundle } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { minify } from 'terser';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SOURCES = join(HERE, 'src');
const COMPRESS = { passes: 4, unsafe: true, unsafe_comps: true, pure_getters: true };

// The same code in three dresses; `exported` is [[name inside, name outside]].
const FORMATS = {
  'index.js': (code, exported) => `${code}export{${exported.map(([a, b]) => `${a} as ${b}`)}};`,
  'index.cjs': (code, exported) => `${code}${exported.map(([a, b]) => `exports.${b}=${a};`).join('')}`,
  // CommonJS, AMD, or the global Holdline: the class, with the exports on it.
  'holdline.umd.js': (code, exported) =>
    '!function(r,f){typeof module=="object"?module.exports=f():typeof define=="function"?define(f):r.Holdline=f()}' +
    `(globalThis,function(){${code}` +
    `return Object.assign(${exported[0][0]},{${exported.map(([a, b]) => `${b}:${a}`)}})});`,
};

const matches = (text, pattern) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
const privatesOf = (text) => matches(text, /private (?:readonly |async |get )*(_\w+)/g);

// Names that some module shows to others.
function publicNames(texts) {
  const names = new Set();
  for (const text of texts) {
    const own = privatesOf(text);
    for (const name of matches(text, /\b(_[a-zA-Z]\w*)/g)) if (!own.has(name)) names.add(name);
  }
  return names;
}

function shareNames(text, publics) {
  const count = (name) => text.split(name).length;
  const names = [...privatesOf(text)].filter((name) => !publics.has(name)).sort((a, b) => count(b) - count(a));
  return names.reduce((all, name, i) => all.replace(new RegExp(`\\b${name}\\b`, 'g'), `_p${i}`), text);
}

// change: what tests do to a source file: (name, text) -> text.
function sources(change) {
  const texts = readdirSync(SOURCES).map((name) => readFileSync(join(SOURCES, name), 'utf8'));
  const publics = publicNames(texts);
  return {
    name: 'sources',
    setup(bundler) {
      bundler.onLoad({ filter: /src[\\/]\w+\.ts$/ }, ({ path }) => {
        const text = change(basename(path), readFileSync(path, 'utf8'));
        return { contents: shareNames(text, publics), loader: 'ts' };
      });
    },
  };
}

export async function build({ folder = join(HERE, 'dist'), change = (_, text) => text } = {}) {
  mkdirSync(folder, { recursive: true });
  const { outputFiles: [{ text }] } = await bundle({
    entryPoints: [join(SOURCES, 'index.ts')],
    format: 'esm',
    bundle: true,
    minify: true,
    write: false,
    target: 'es2018',
    mangleProps: /^_/,
    logLevel: 'warning',
    plugins: [sources(change)],
  });
  const { code } = await minify(text, { ecma: 2018, module: true, compress: COMPRESS, mangle: true });
  const [all, inside] = /export\{([^}]*)\};?\s*$/.exec(code);
  const exported = inside.split(',').map((one) => one.split(' as '));
  for (const [name, dress] of Object.entries(FORMATS)) {
    writeFileSync(join(folder, name), dress(code.slice(0, -all.length), exported) + '\n');
  }
}

// One file of declarations out of those of the public modules.
export function declare({ folder = join(HERE, 'dist') } = {}) {
  const types = join(folder, 'types');
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', HERE, '--outDir', types], { stdio: 'inherit' });
  const parts = ['error', 'types', 'emitter', 'holdline'].map((name) => readFileSync(join(types, `${name}.d.ts`), 'utf8'));
  const all = parts.join('').replace(/^import [^;]*;\n/gm, '').replace(/^export \{\};\n/gm, '');
  const text = all.replace('export declare class Emitter', 'declare class Emitter') + 'export {};\n';
  for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(folder, name), text);
  rmSync(types, { recursive: true });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  rmSync(join(HERE, 'dist'), { recursive: true, force: true });
  await build();
  declare();
}
