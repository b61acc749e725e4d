// Long-poll: answers that get lost, requests that come twice, late, or over one another.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from '../support/http.mjs';
import { checkPollAnswer, checkPollRequest, checkProblem } from '../support/schemas.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const gateway = useGateway();
const pub = (text, seq) => ({ t: 'pub', mid: randomUUID(), seq, body: { text } });

// A session driven by hand: each call is one request.
class Hand {
  rid = 0;

  async open() {
    const answer = await this.post({ frames: [{ t: 'hello', v: 1 }] });
    const welcome = answer.frames.find((f) => f.t === 'welcome');
    Object.assign(this, { gen: answer.gen, token: welcome.token, c: welcome.conv[0].c, e: welcome.conv[0].e });
    return this;
  }

  compose(more = {}) {
    const body = { rid: ++this.rid, frames: [], ...more };
    if (this.gen) Object.assign(body, { gen: this.gen, token: this.token });
    return body;
  }

  pos(o) {
    return [{ c: this.c, e: this.e, o }];
  }

  async raw(body, options = {}) {
    checkPollRequest(body);
    return request(gateway.url + '/v1/poll', { body, ...options });
  }

  async post(more, options) {
    const body = this.compose(more);
    const answer = await this.raw(body, options);
    assert.equal(answer.status, 200, answer.text);
    checkPollAnswer(answer.json);
    assert.equal(answer.json.rid, body.rid);
    return answer.json;
  }

  // Polls until a frame fits.
  async until(predicate, more = {}) {
    for (let i = 0; i < 20; i += 1) {
      const { frames } = await this.post({ wait_ms: 2000, ...more });
      const frame = frames.find(predicate);
      if (frame) return frame;
    }
    return assert.fail('it did not come');
  }
}

async function agentAt(t, hand) {
  const ann = await t.connect(gateway, { key: await gateway.key('ann') });
  await ann.subscribe(hand.c);
  return ann;
}

const another = async (hand, text, seq) => {
  const frame = pub(text, seq);
  const { frames } = await hand.post({ wait_ms: 5000, frames: [frame] });
  return frames.find((f) => f.mid === frame.mid) ?? hand.until((f) => f.mid === frame.mid);
};

wireTest('the answer of a poll that got lost comes again', async () => {
  const hand = await new Hand().open();
  const frame = pub('one', 1);
  const lost = hand.compose({ wait_ms: 5000, frames: [frame] });
  const first = await hand.raw(lost); // suppose the client never saw it
  const again = await hand.raw(lost);
  assert.deepEqual([again.status, again.json.rid], [200, lost.rid]);
  const ok = await hand.until((f) => f.t === 'pub_ok' && f.mid === frame.mid, { frames: [frame], pos: hand.pos(0) });
  assert.equal(ok.o, 1);
  assert.equal(first.status, 200);
  assert.equal((await another(hand, 'two', 2)).o, 2, 'nothing was written twice');
});

wireTest('entries in a lost answer are sent again from pos', async (t) => {
  const hand = await new Hand().open();
  await another(hand, 'one', 1);
  const ann = await agentAt(t, hand);
  await ann.publish('two', { c: hand.c });
  const seen = await hand.until((f) => f.t === 'msg' && f.o === 2, { pos: hand.pos(1) });
  assert.equal(seen.body.text, 'two'); // this answer "gets lost": the next poll repeats pos 1
  const again = await hand.until((f) => f.t === 'msg' && f.o === 2, { pos: hand.pos(1) });
  assert.deepEqual(again, seen);
  const { frames } = await hand.post({ pos: hand.pos(2) });
  assert.ok(!frames.some((f) => f.t === 'msg'));
});

wireTest('a newer poll displaces the one that waits', async () => {
  const hand = await new Hand().open();
  await hand.post({ pos: hand.pos(0) });
  const parked = hand.post({ wait_ms: 25_000, pos: hand.pos(0) });
  const frame = pub('while it waits', 1);
  const newer = hand.post({ wait_ms: 5000, frames: [frame] });
  const old = await parked;
  assert.deepEqual([old.superseded, old.frames], [true, []]);
  assert.ok((await newer).frames.some((f) => f.t === 'pub_ok' && f.mid === frame.mid));
});

wireTest('a request that comes late, after a newer one, does no harm', async () => {
  const hand = await new Hand().open();
  const one = pub('one', 1);
  const late = hand.compose({ frames: [one] });
  const two = pub('two', 2);
  const { frames } = await hand.post({ wait_ms: 5000, frames: [one, two] });
  assert.ok(frames.some((f) => f.t === 'pub_ok' && f.mid === one.mid));
  const answer = await hand.raw(late);
  assert.equal(answer.status, 200);
  assert.deepEqual([answer.json.superseded, answer.json.frames], [true, []]);
  assert.equal((await another(hand, 'three', 3)).o, 3);
});

wireTest('many requests at once, in any order: each message once, in order', async () => {
  const hand = await new Hand().open();
  const pubs = Array.from({ length: 12 }, (_, i) => pub(`m${i + 1}`, i + 1));
  const bodies = pubs.map((_, i) => hand.compose({ frames: pubs.slice(0, i + 1), seq: 1 }));
  const shuffled = bodies.map((body, i) => [body, (i * 7) % 12]).sort((a, b) => a[1] - b[1]).map(([b]) => b);
  const answers = await Promise.all([...shuffled, ...shuffled].map((body) => hand.raw(body)));
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  let unconfirmed = pubs;
  const offsets = new Map();
  while (unconfirmed.length) {
    const { frames } = await hand.post({ wait_ms: 2000, frames: unconfirmed, seq: 1 });
    for (const f of frames) if (f.t === 'pub_ok') offsets.set(f.mid, f.o);
    unconfirmed = pubs.filter((p) => !offsets.has(p.mid));
  }
  assert.deepEqual(pubs.map((p) => offsets.get(p.mid)), pubs.map((_, i) => i + 1));
});

wireTest('a poll waits until there is something, and no longer than told', async (t) => {
  const hand = await new Hand().open();
  await another(hand, 'one', 1);
  const begun = Date.now();
  const { frames } = await hand.post({ wait_ms: 300, pos: hand.pos(1) });
  assert.ok(Date.now() - begun >= 250, 'it waited');
  assert.deepEqual(frames.filter((f) => f.t === 'msg'), []);
  const ann = await agentAt(t, hand);
  const waiting = hand.until((f) => f.t === 'msg' && f.o === 2, { wait_ms: 20_000, pos: hand.pos(1) });
  await ann.publish('two', { c: hand.c });
  await waiting;
  assert.ok(Date.now() - begun < 10_000);
});

wireTest('a poll without wait_ms is answered at once', async () => {
  const hand = await new Hand().open();
  const begun = Date.now();
  await hand.post({ pos: hand.pos(0) });
  assert.ok(Date.now() - begun < 1500);
});

wireTest('a wait of more than 25 s is shortened', async () => {
  const hand = await new Hand().open();
  const begun = Date.now();
  await hand.post({ wait_ms: 600_000, pos: hand.pos(0) });
  const waited = Date.now() - begun;
  assert.ok(waited <= 28_000, `${waited} ms`);
});

wireTest('after a restart a poll attaches by its token', async () => {
  const hand = await new Hand().open();
  await another(hand, 'one', 1);
  await gateway.restart();
  const answer = await hand.post({ pos: hand.pos(1), seq: 2 });
  const [welcome] = answer.frames;
  assert.equal(welcome.t, 'welcome');
  assert.ok(answer.gen > hand.gen);
  assert.deepEqual([welcome.conv[0].verdict, welcome.conv[0].head, welcome.seq], ['resumed', 1, 2]);
  Object.assign(hand, { gen: answer.gen, token: welcome.token });
  assert.equal((await another(hand, 'two', 2)).o, 2);
});

wireTest('poll answers are not stored by anybody', async () => {
  const hand = new Hand();
  const answer = await hand.raw(hand.compose({ frames: [{ t: 'hello', v: 1 }] }));
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.ok(answer.headers['content-length']);
});

wireTest('wrong polls are refused with a reason', async () => {
  const post = (body, headers) => request(gateway.url + '/v1/poll', { body, headers });
  const cases = [
    [post('{"rid":1', undefined), 400, 'not_json'],
    [post('[]', undefined), 400, /invalid_frame|bad_request/],
    [post({ frames: [{ t: 'hello', v: 1 }] }), 422, 'invalid_field'],
    [post({ rid: 'one', frames: [{ t: 'hello', v: 1 }] }), 422, 'invalid_field'],
    [post({ rid: 1, frames: [{ t: 'pub', mid: 'm', body: { text: 'x' } }] }), 400, 'hello_first'],
    [post({ rid: 1, frames: [{ t: 'hello', v: 9 }] }), 400, 'version_unsupported'],
    [post('{}', { 'content-type': 'text/plain' }), 415, 'unsupported_type'],
    [request(gateway.url + '/v1/poll'), 405, 'method_not_allowed'],
  ];
  for (const [sent, status, code] of cases) {
    const answer = await sent;
    assert.equal(answer.status, status, answer.text);
    checkProblem(answer.json);
    assert.match(answer.json.code, new RegExp(code));
    assert.equal(answer.headers['content-type'], 'application/problem+json');
  }
});
