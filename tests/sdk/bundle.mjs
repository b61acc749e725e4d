// The SDK as the tests use it: bundled into a folder of its own, on request with a bug planted in
// its sources. A plant names what it replaces, so that it cannot silently miss.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from '../../sdk/js/build.mjs';

export const PLANTS = {
  // What was delivered is delivered again when it comes again.
  'no-dedup': { file: 'reader.ts', from: 'if (offset <= this._chat._record.o) return;', to: '' },
  // Holes are stepped over.
  'no-order': { file: 'reader.ts', from: 'if (after > this._chat._record.o) {', to: 'if (false) {' },
  // A message counts as confirmed when it is sent.
  'early-ack': {
    file: 'sender.ts',
    from: "pending._move('sent');\n        frames.push(pending._frame);",
    to: `frames.push(pending._frame);
        const early = { clientId: pending.clientId, epoch: '1', offset: 1, conversation: '' } as any;
        pending._resolve(early);
        this._chat._app._emit('ack', { clientId: pending.clientId, message: early });`,
  },
  // A repeat gets an id of its own.
  'new-mid': {
    file: 'outbox.ts',
    from: "{ t: 'pub', mid: this.clientId,",
    to: "{ t: 'pub', mid: ((this as any).times = ((this as any).times || 0) + 1) > 1 ? `${this.clientId}-again` : this.clientId,",
  },
  // The position is not stored once there is one.
  'lazy-position': {
    file: 'chat.ts',
    from: 'const { c, e, o } = this._record;\n    this._store._writeOwn',
    to: 'const { c, e, o } = this._record;\n    if (o) return;\n    this._store._writeOwn',
  },
};

// No bug, but haste: a WebSocket is tried again after seconds.
export const HASTE = { file: 'line.ts', from: 'REPROBE_MS = 300000', to: 'REPROBE_MS = 4000' };

function planting(plants) {
  return (name, text) => {
    for (const { file, from, to } of plants) {
      if (file !== name) continue;
      if (!text.includes(from)) throw new Error(`${file} does not hold what the plant replaces: ${from}`);
      text = text.replace(from, () => to);
    }
    return text;
  };
}

export async function bundleSdk(plants = []) {
  const folder = mkdtempSync(join(tmpdir(), 'holdline-sdk-'));
  await build({ folder, change: planting(plants) });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}'); // as the package has it
  return {
    umd: readFileSync(join(folder, 'holdline.umd.js'), 'utf8'),
    esm: pathToFileURL(join(folder, 'index.js')).href,
    cjs: join(folder, 'index.cjs'),
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
