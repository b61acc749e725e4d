// Transcripts in their four forms; and that what is internal stays among agents.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { checkApi, checkSchema } from '../support/openapi.mjs';
import { TRANSPORTS, useGateway, wireTest } from '../support/suite.mjs';

const MANY = 10_000;
const WHOLE_MS = 1000;
const gateway = useGateway({ env: { HOLDLINE_PUBS_PER_S: '0', HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });
let key;

async function call(method, path, { body, headers = {} } = {}) {
  key ??= gateway.key('Ann <b>');
  const authorization = `Bearer ${await key}`;
  const answer = await gateway.request(path, { method, body, headers: { authorization, ...headers } });
  checkApi(method, path, answer);
  return answer;
}

const path = (visitor, rest = '') => `/v1/conversations/${visitor.c}${rest}`;
const put = (visitor, body) => call('PUT', path(visitor, `/messages/${randomUUID()}`), { body });

async function talk(t, options) {
  const visitor = await t.connect(gateway, options);
  await visitor.publish('Hello <script>alert("1")</script> & שלום\nsecond line');
  const claimed = await call('PUT', path(visitor, '/assignee'), { headers: { 'if-none-match': '*' } });
  await put(visitor, { text: 'secret aside', visibility: 'internal' });
  const headers = { 'if-match': claimed.json.etag };
  await call('PATCH', path(visitor), { body: { status: 'closed', tags: ['secret-tag'], custom_fields: { secret: 1 } }, headers });
  await put(visitor, { text: 'goodbye' });
  await visitor.level(5);
  return visitor;
}

for (const transport of TRANSPORTS) {
  wireTest(`what is internal never reaches a visitor [${transport}]`, async (t) => {
    const visitor = await talk(t, { transport });
    const other = await t.connect(gateway, { transport, key: await key }); // an agent's link has it
    await other.send({ t: 'sub', c: visitor.c });
    await other.until(() => JSON.stringify(other.frames).includes('secret aside'), 'the note');
    const heard = JSON.stringify(visitor.frames);
    assert.match(heard, /goodbye/);
    assert.doesNotMatch(heard, /secret/);
    await visitor.attach();
    assert.doesNotMatch(JSON.stringify(visitor.frames), /secret/);
    for (const form of ['json', 'ndjson', 'text', 'html']) {
      const transcript = await call('GET', path(visitor, `/transcript?format=${form}`));
      assert.match(transcript.text, /goodbye/);
      assert.doesNotMatch(transcript.text.replace(/"tags":\[[^\]]*\]|"custom_fields":\{[^}]*\}/, ''), /secret/, form);
    }
  });
}

wireTest('the form is that of format, else what Accept likes best', async (t) => {
  const visitor = await talk(t);
  const typeOf = async (query, accept) => {
    const answer = await call('GET', path(visitor, `/transcript${query}`), { headers: accept ? { accept } : {} });
    return (answer.headers['content-type'] ?? '').split(';')[0];
  };
  assert.equal(await typeOf('', ''), 'application/json');
  assert.equal(await typeOf('', 'text/html,application/json;q=0.5'), 'text/html');
  assert.equal(await typeOf('', 'application/x-ndjson'), 'application/x-ndjson');
  assert.equal(await typeOf('?format=text', 'text/html'), 'text/plain');
  const picture = await call('GET', path(visitor, '/transcript'), { headers: { accept: 'image/png' } });
  assert.deepEqual([picture.status, picture.json.code], [406, 'not_acceptable']);
  for (const query of ['?format=pdf', '?internal=maybe']) {
    assert.equal((await call('GET', path(visitor, `/transcript${query}`))).status, 422);
  }
});

wireTest('each form holds what was said, escaped', async (t) => {
  const visitor = await talk(t);
  const get = async (query) => (await call('GET', path(visitor, `/transcript?${query}`))).text;
  const json = JSON.parse(await get('format=json&internal=true'));
  assert.equal(json.conversation.id, visitor.c);
  assert.deepEqual(json.entries.map((e) => e.kind), ['message', 'claimed', 'note', 'closed', 'message']);
  const lines = (await get('format=ndjson')).trim().split('\n').map((line) => JSON.parse(line));
  lines.forEach((line) => checkSchema('Entry', line));
  assert.deepEqual(lines.map((e) => e.offset), [1, 2, 4, 5]);
  assert.deepEqual(lines[2].body, {});
  const text = await get('format=text&internal=true');
  assert.match(text, /Visitor: Hello <script>/);
  assert.match(text, /\n {4}second line/);
  assert.match(text, /Ann <b> \(note\): secret aside/);
  const html = await get('format=html&internal=true');
  assert.doesNotMatch(html, /<script|<b>: /);
  assert.match(html, /Hello &lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; שלום/);
  assert.match(html, /Ann &lt;b&gt;/);
  assert.match(html, /<html lang="en" dir="ltr">/);
  const answer = await call('GET', path(visitor, '/transcript?format=html'));
  assert.match(answer.headers['content-disposition'], /^attachment; filename="HL-[A-Z0-9-]+\.html"$/);
});

wireTest('a hostile form is in the transcript, and cuts nothing off', async (t) => {
  const visitor = await t.connect(gateway);
  await visitor.publish('hello');
  const members = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i, 1]));
  const bodies = Array.from({ length: 20 }, () => ({ ['&'.repeat(3500)]: members(60), fields: { kept: 'yes' } }));
  for (const body of [...bodies, { [`p${'"'.repeat(3000)}`]: members(1100) }, { '&&&&&&&&': members(1800) }]) {
    assert.equal((await visitor.publish(body, { kind: 'form' })).t, 'pub_ok');
  }
  await visitor.publish('the last');
  for (const format of ['text', 'html']) {
    const { text } = await call('GET', path(visitor, `/transcript?format=${format}`));
    assert.match(text, /the last[^]*End of transcript/);
    assert.equal(text.match(/fields\.kept: yes/g).length, bodies.length);
    assert.doesNotMatch(text, /erased/);
  }
});

wireTest('messages are lines too, all after an offset', async (t) => {
  const visitor = await talk(t);
  const accept = 'application/x-ndjson';
  const answer = await call('GET', path(visitor, '/messages?after=1'), { headers: { accept } });
  assert.equal(answer.headers['content-type'], accept);
  const lines = answer.text.trim().split('\n').map((line) => JSON.parse(line));
  lines.forEach((line) => checkSchema('Entry', line));
  assert.deepEqual(lines.map((e) => [e.offset, e.kind]), [[2, 'claimed'], [3, 'note'], [4, 'closed'], [5, 'message']]);
});

wireTest(`${MANY} messages are one stream of at most a second`, async (t) => {
  const visitor = await t.connect(gateway);
  for (let i = 0; i < MANY; i += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, j) => visitor.publish(`message ${i + j}`)));
  }
  const first = performance.now();
  const page = await call('GET', path(visitor, '/messages?limit=50'));
  const firstMs = performance.now() - first;
  assert.equal(page.json.data.length, 50);
  const start = performance.now();
  const { text } = await call('GET', path(visitor, '/transcript?format=ndjson'));
  const ms = performance.now() - start;
  const offsets = text.trim().split('\n').map((line) => JSON.parse(line).offset);
  assert.deepEqual(offsets, Array.from({ length: MANY }, (_, i) => i + 1));
  t.diagnostic(`first 50 in ${firstMs.toFixed(1)} ms, whole in ${ms.toFixed(0)} ms`);
  assert.ok(ms <= WHOLE_MS, `${ms} ms`);
});
