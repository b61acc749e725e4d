// The documents of the protocol are well-formed, agree with one another and with the sources.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import asyncapi from '@asyncapi/parser';
import { createConfig, lint } from '@redocly/openapi-core';
import { parse } from 'yaml';
import { PROTOCOL_PAGE, pageWithTable, readProblems } from '../support/problems.mjs';
import { openSchemas, schemaFiles } from '../support/schemas.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(PROTOCOL_PAGE, 'utf8');

test('every schema compiles in strict mode', () => {
  assert.ok(schemaFiles.length >= 8);
  for (const file of schemaFiles) assert.ok(openSchemas.getSchema(file), file);
});

test('asyncapi.yaml has no findings and names every frame', async () => {
  const file = ROOT + 'docs/asyncapi.yaml';
  const { document, diagnostics } = await asyncapi.fromFile(new asyncapi.Parser(), file).parse();
  const findings = diagnostics.filter((d) => d.severity < 2);
  assert.deepEqual(findings.map((d) => `${d.path.join('/')}: ${d.message}`), []);
  assert.ok(document);
  const messages = Object.values(parse(readFileSync(file, 'utf8')).components.messages);
  const named = new Set(messages.map((m) => m.payload.$ref));
  for (const side of ['client', 'server', 'feed']) {
    const { $defs } = JSON.parse(readFileSync(`${ROOT}docs/schema/${side}-frames.json`, 'utf8'));
    for (const t of Object.keys($defs)) {
      if (t !== 'frame') assert.ok(named.has(`schema/${side}-frames.json#/$defs/${t}`), t);
    }
  }
});

test('openapi.yaml has no findings', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const findings = await lint({ ref: ROOT + 'agent-api/openapi.yaml', config });
  const errors = findings.filter((f) => f.severity === 'error');
  assert.deepEqual(errors.map((f) => `${f.location[0]?.pointer}: ${f.message}`), []);
});

test('every example frame of the protocol page fits its schema', () => {
  const side = { client: 0, server: 0, feed: 0 };
  let part = null;
  for (const [, heading, example] of page.matchAll(/^## (.*)$|^```json\n([^]*?)^```$/gm)) {
    if (heading) {
      part = { 'Frames from the client': 'client', 'Frames from the gateway': 'server', Agents: 'feed' }[heading];
    } else if (part) {
      const frame = JSON.parse(example);
      const validate = openSchemas.getSchema(`${part}-frames.json#/$defs/${frame.t}`);
      assert.ok(validate, `no schema for ${frame.t}`);
      assert.ok(validate(frame), `${frame.t}: ${JSON.stringify(validate.errors)}`);
      side[part] += 1;
    }
  }
  assert.ok(side.client >= 12 && side.server >= 15 && side.feed >= 6, JSON.stringify(side));
});

test('the problem table of the page is that of the sources', () => {
  assert.equal(pageWithTable(page), page, 'run: node tests/support/problems.mjs');
  const problems = readProblems();
  assert.ok(problems.length > 30);
  assert.equal(new Set(problems.map((p) => p.code)).size, problems.length);
  const range = { never: 4000, later: 4100, now: 4200 };
  for (const p of problems) {
    if (p.close) assert.equal(Math.floor(p.close / 100) * 100, range[p.retry], p.code);
  }
});
