// The console's own modules, bundled for node as they stand.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const CONSOLE = fileURLToPath(new URL('../../examples/console/', import.meta.url));

// All that these files of src/ export, in one object.
export async function load(...files) {
  const folder = mkdtempSync(join(tmpdir(), 'holdline-console-'));
  try {
    const outfile = join(folder, 'source.mjs');
    const contents = files.map((file) => `export * from './src/${file}';`).join('\n');
    const options = { bundle: true, format: 'esm', platform: 'node', target: 'node18', logLevel: 'error' };
    await build({ ...options, stdin: { contents, resolveDir: CONSOLE }, outfile });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
