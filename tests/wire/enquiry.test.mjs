// Enquiries by plain HTTP: durable before the answer, once per key.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { checkEnquiryAnswer, checkProblem } from '../support/schemas.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const ENQUIRY = {
  contact: { name: 'Ann', email: 'ann@example.com', phone: '+49 30 1234567' },
  message: { text: 'Please call me back.' },
  fields: { product: 'red' },
  consent: { privacy: true },
  country: 'DE',
};

const post = (body, headers = {}) =>
  gateway.request('/v1/enquiries', { body, headers: { 'idempotency-key': randomUUID(), ...headers } });

wireTest('an enquiry is answered when it is durable', async (t) => {
  const answer = await post(ENQUIRY);
  assert.equal(answer.status, 201, answer.text);
  checkEnquiryAnswer(answer.json);
  const { reference, conversation, offset, durability, expected_by: by, duplicate } = answer.json;
  assert.deepEqual([offset, durability, duplicate], [1, 'local', false]);
  assert.ok(Date.parse(by) > Date.now());
  assert.equal(new URL(answer.json.status_url, gateway.url).pathname, `/v1/enquiries/${reference}`);
  await gateway.restart();
  const ann = await t.connect(gateway, { key: await gateway.key('ann') });
  await ann.subscribe(conversation);
  const entry = ann.frames.find((f) => f.t === 'msg');
  assert.deepEqual([entry.o, entry.from.role], [1, 'visitor']);
  assert.ok(JSON.stringify(entry.body).includes('ann@example.com'));
  assert.ok(JSON.stringify(entry.body).includes('Please call me back.'));
});

wireTest('the same key gives the same answer, also after a restart', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await post(ENQUIRY, headers);
  const again = await post(ENQUIRY, headers);
  assert.equal(again.status, 200);
  assert.equal(again.json.duplicate, true);
  assert.deepEqual([again.json.reference, again.json.conversation], [first.json.reference, first.json.conversation]);
  await gateway.restart();
  const later = await post(ENQUIRY, headers);
  assert.deepEqual([later.json.reference, later.json.duplicate], [first.json.reference, true]);
  const other = await post({ ...ENQUIRY, message: { text: 'Something else.' } }, headers);
  assert.deepEqual([other.status, other.json.code], [422, 'mid_conflict']);
});

wireTest('ten at once with one key make one enquiry', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(ENQUIRY, headers)));
  assert.equal(answers.filter((a) => a.status === 201).length, 1);
  assert.equal(new Set(answers.map((a) => a.json.reference)).size, 1);
});

wireTest('an HTML form does as well', async (t) => {
  const form = new URLSearchParams({ name: 'Bö & Co', email: 'b@example.com', text: 'Zwei Stück, bitte', country: 'DE', product: 'blue' });
  const answer = await post(String(form), { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(answer.status, 201, answer.text);
  checkEnquiryAnswer(answer.json);
  const ann = await t.connect(gateway, { key: await gateway.key('bob') });
  await ann.subscribe(answer.json.conversation);
  const { body } = ann.frames.find((f) => f.t === 'msg');
  for (const text of ['Bö & Co', 'Zwei Stück, bitte', 'blue']) assert.ok(JSON.stringify(body).includes(text), text);
});

wireTest('the status tells how it stands, and no content', async () => {
  const made = (await post(ENQUIRY)).json;
  const status = await gateway.request(`/v1/enquiries/${made.reference}`);
  assert.equal(status.status, 200);
  assert.equal(status.json.reference, made.reference);
  assert.ok(!status.text.includes('ann@example.com') && !status.text.includes('call me'));
  const unknown = await gateway.request('/v1/enquiries/HL-AAAAAAAA');
  assert.equal(unknown.status, 404);
  checkProblem(unknown.json);
});

wireTest('wrong enquiries are refused with a reason', async () => {
  const cases = [
    [gateway.request('/v1/enquiries', { body: ENQUIRY }), 400, 'idempotency_required'],
    [post('{"contact":'), 400, 'not_json'],
    [post('["\\\u{1F300}"]'), 400, 'not_json'], // told without a piece of a character
    [post(Buffer.from([0x7b, 0xff, 0x7d]), { 'content-type': 'application/json' }), 400, 'invalid_utf8'],
    [post({ contact: {} }), 422, 'invalid_field'],
    [post({ contact: {}, message: { text: '' } }), 422, 'invalid_field'],
    [post({ contact: { email: 7 }, message: { text: 'x' } }), 422, 'invalid_field'],
    [post({ ...ENQUIRY, site: 'nowhere' }), 404, 'unknown_site'],
    [post('<xml/>', { 'content-type': 'application/xml' }), 415, 'unsupported_type'],
    [gateway.request('/v1/enquiries'), 405, 'method_not_allowed'],
  ];
  for (const [sent, status, code] of cases) {
    const answer = await sent;
    assert.deepEqual([answer.status, answer.json?.code], [status, code], answer.text);
    checkProblem(answer.json);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
  }
});
