// Builds dist/: the bundle in three formats and its types. Internal members begin with `_` and get
// short names. build(), for tests, takes plugins and another folder.
import { build as bundle } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FORMATS = [
  { outfile: 'index.js', format: 'esm' },
  { outfile: 'index.cjs', format: 'cjs' },
  { outfile: 'holdline.umd.js', format: 'iife', globalName: 'Holdline' },
];

// UMD: module, AMD, or the global Holdline; the class itself carries the other exports.
const UMD = {
  js: '(function(r,f){typeof exports==="object"&&typeof module!=="undefined"?module.exports=f():' +
    'typeof define==="function"&&define.amd?define(f):(r.Holdline=f())})(typeof self!=="undefined"?self:this,function(){',
};
const UMD_END = { js: 'return Object.assign(Holdline.Holdline,Holdline)});' };

export async function build({ folder = join(HERE, 'dist'), plugins = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  for (const { outfile, ...format } of FORMATS) {
    const isUmd = format.format === 'iife';
    await bundle({
      entryPoints: [join(HERE, 'src/index.ts')],
      outfile: join(folder, outfile),
      ...format,
      ...(isUmd ? { banner: UMD, footer: UMD_END } : {}),
      bundle: true,
      minify: true,
      sourcemap: true,
      target: 'es2018',
      mangleProps: /^_/,
      legalComments: 'none',
      logLevel: 'warning',
      plugins,
    });
  }
}

// One file of declarations out of those of the public modules.
function declare(folder) {
  const types = join(folder, 'types');
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', HERE, '--outDir', types], { stdio: 'inherit' });
  const parts = ['error', 'types', 'emitter', 'holdline'].map((name) => readFileSync(join(types, `${name}.d.ts`), 'utf8'));
  const text = parts.join('').replace(/^import [^;]*;\n/gm, '').replace(/^export \{\};\n/gm, '');
  for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(folder, name), text);
  copyFileSync(join(folder, 'index.d.cts'), join(folder, 'holdline.umd.d.cts'));
  rmSync(types, { recursive: true });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build();
  declare(join(HERE, 'dist'));
}
