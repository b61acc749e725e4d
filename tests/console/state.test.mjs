// What the console knows: folding events, ranges without holes, views and their order, canned replies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './source.mjs';

const { append, Drafts, EMPTY, expand, fillBlanks, fits, fold, Guests, isViewKey, lastOf, matching, prepend, queryFor,
  sorted, sortsFor, countdownOf, spanOf, typedShortcut, timerOf } = await load('state/fold.ts', 'state/range.ts', 'state/view.ts',
  'state/canned.ts', 'state/presence.ts', 'state/drafts.ts', 'state/time.ts', 'view/timer-pill.tsx');

const ME = 'agt_me';
const T0 = '2026-03-01T09:00:00.000Z';
const at = (seconds) => new Date(Date.parse(T0) + seconds * 1000).toISOString();
const make = (more = {}) => ({
  id: 'cnv_1', site: 'default', inbox: null, reference: 'HL-1', status: 'open', assignee: null, assignee_name: null, etag: '"r1"',
  head: 1, floor: 0, opened_at: T0, updated_at: T0, claimed_at: null, waiting_since: T0, contact: null, identity: null, tags: [],
  custom_fields: {}, context: {}, unread: 1, last_message: null,
  timers: { first_response_at: null, first_response_due_at: null, response_due_at: null, closed_at: null, sla: 'none' }, ...more,
});
const entry = (offset, kind, more = {}) => ({
  conversation: 'cnv_1', offset, client_id: `m${offset}`, from: { role: 'visitor', id: 'vis_1' }, ts: at(offset), kind, visibility: 'public', body: {}, ...more,
});
const byMe = { from: { role: 'agent', id: ME } };

test('an answer ends the waiting; another question begins it anew', () => {
  const answered = fold(make(), entry(2, 'message', { ...byMe, body: { text: 'Yes' } }), ME);
  assert.deepEqual([answered.waiting_since, answered.unread, answered.last_message.excerpt], [null, 0, 'Yes']);
  const asked = fold(answered, entry(3, 'message', { body: { text: 'And?' } }), ME);
  assert.deepEqual([asked.waiting_since, asked.unread, asked.head], [at(3), 1, 3]);
});

test('a colleague\'s answer leaves my unread count', () => {
  assert.equal(fold(make(), entry(2, 'message', { from: { role: 'agent', id: 'agt_b' } }), ME).unread, 1);
});

test('an event is folded once', () => {
  const once = fold(make(), entry(2, 'message'), ME);
  assert.equal(fold(once, entry(2, 'message'), ME), once);
});

test('what happened makes the known etag useless', () => {
  assert.equal(fold(make(), entry(2, 'message'), ME).etag, '');
  const claimed = fold(make(), entry(2, 'claimed', { ...byMe, subject: ME }), ME);
  assert.deepEqual([claimed.assignee, claimed.etag], [ME, '']);
  const closed = fold(claimed, entry(3, 'closed', byMe), ME);
  assert.equal(closed.status, 'closed');
  const updated = fold(make({ custom_fields: { a: 1, b: 2 } }), entry(2, 'updated', { body: { tags: ['x'], custom_fields: { a: null } } }), ME);
  assert.deepEqual([updated.tags, updated.custom_fields], [['x'], { b: 2 }]);
  assert.equal(fold(make({ assignee: ME }), entry(2, 'moved', { subject: 'inb_2' }), ME).assignee, null);
});

test('a note neither answers nor is shown as the last message', () => {
  const noted = fold(make(), entry(2, 'note', byMe), ME);
  assert.deepEqual([noted.waiting_since, noted.last_message, noted.unread], [T0, null, 1]);
});

test('a range takes what follows and refuses a hole', () => {
  const range = append(EMPTY, [entry(5, 'message'), entry(6, 'message')]);
  assert.equal(lastOf(range), 6);
  assert.equal(append(range, [entry(6, 'message')]), range);
  assert.equal(append(range, [entry(8, 'message')]), null);
  assert.equal(append(range, [entry(7, 'message'), entry(9, 'message')]), null);
  assert.deepEqual(append(range, [entry(6, 'message'), entry(7, 'message')]).entries.map(({ offset }) => offset), [5, 6, 7]);
});

test('earlier entries come before, once', () => {
  const range = prepend({ entries: [entry(5, 'message')], hasEarlier: true }, [entry(3, 'message'), entry(4, 'message'), entry(5, 'message')], false);
  assert.deepEqual(range.entries.map(({ offset }) => offset), [3, 4, 5]);
  assert.equal(range.hasEarlier, false);
});

test('views and their questions say the same', () => {
  assert.ok(fits('unassigned', make(), ME));
  assert.ok(!fits('unassigned', make({ assignee: ME }), ME));
  assert.ok(fits('mine', make({ assignee: ME }), ME));
  assert.ok(!fits('mine', make({ assignee: ME, status: 'closed' }), ME));
  assert.ok(fits('inbox:inb_1', make({ inbox: 'inb_1' }), ME));
  assert.ok(fits('tag:vip', make({ tags: ['vip'], status: 'closed' }), ME));
  assert.deepEqual(queryFor('mine'), { status: 'open', assignee: 'me' });
  assert.deepEqual(queryFor('tag:vip'), { tag: ['vip'] });
  assert.deepEqual(sortsFor('mine', 'newest'), ['newest']);
  assert.deepEqual(sortsFor('mine', 'due'), ['updated', 'oldest_unanswered']);
  assert.ok(isViewKey('closed') && isViewKey('tag:x') && !isViewKey('tag:') && !isViewKey('toString'));
});

test('the most urgent comes first, who waits for nothing last', () => {
  const due = (id, response_due_at, more) => make({ id, timers: { ...make().timers, response_due_at }, ...more });
  const items = [due('idle', null, { waiting_since: null }), due('later', at(600)), due('late', at(-60)), due('waits', null, { waiting_since: at(60) })];
  assert.deepEqual(sorted(items, 'due').map(({ id }) => id), ['late', 'waits', 'later', 'idle']);
});

test('a timer tells what is left, soon and late', () => {
  const due = (seconds, sla = 'ok') => make({ timers: { ...make().timers, first_response_due_at: at(seconds), sla } });
  const told = (conversation, seconds) => timerOf(conversation, Date.parse(at(seconds)));
  assert.equal(told(due(300), 10).state, 'ok');
  assert.equal(told(due(300), 10).words, '4:50 left');
  assert.equal(told(due(300, 'due_soon'), 10).state, 'due_soon');
  assert.equal(told(due(300), 250).state, 'due_soon');
  assert.deepEqual([told(due(300), 312).state, told(due(300), 312).words], ['breached', '0:12 late']);
  assert.equal(told(make(), 90).words, '1m');
  assert.equal(told(make({ waiting_since: null }), 90), null);
  assert.equal(told(make({ status: 'closed' }), 90), null);
});

test('spans in words', () => {
  assert.deepEqual([500, 59_000, 60_000, 3_900_000, 90_000_000].map(spanOf), ['now', '59s', '1m', '1h 05m', '1d']);
  assert.equal(countdownOf(65_400), '1:05');
});

test('canned replies open by a slash that begins a word', () => {
  assert.equal(typedShortcut('/he', 3), 'he');
  assert.equal(typedShortcut('well, /', 7), '');
  assert.equal(typedShortcut('and/or', 6), null);
  assert.equal(typedShortcut('https://x', 9), null);
  const replies = [{ shortcut: 'hello', text: 'Hi' }, { shortcut: 'hours', text: '9 to 5' }, { shortcut: 'bye', text: 'hello again' }];
  assert.deepEqual(matching(replies, 'he').map(({ shortcut }) => shortcut), ['hello', 'bye']);
  assert.deepEqual(expand('Well, /he there', 9, 'he', 'Hello Jo,'), { text: 'Well, Hello Jo, there', caret: 15 });
  assert.equal(fillBlanks('{name} {agent} {reference} {other}', { name: 'Jo', agent: 'Ann', reference: 'HL-1' }), 'Jo Ann HL-1 {other}');
});

test('presence expires by itself, and speaking ends typing', () => {
  const guests = new Guests();
  const from = { role: 'visitor', id: 'vis_1' };
  const tell = (what, more) => guests.take({ what, on: true, from, conversation: 'c', ...more }, 1000);
  tell('typing', { expires_in_ms: 6000 });
  tell('viewing', { from: { role: 'agent', id: 'agt_b' }, expires_in_ms: 30_000 });
  assert.equal(guests.at('c', 2000).visitorIsHere, null);
  tell('present');
  tell('online', { conversation: null });
  assert.ok(guests.at('c', 2000).visitorTypes);
  assert.ok(guests.at('c', 2000).visitorIsHere);
  assert.deepEqual(guests.at('c', 2000).agents, [{ id: 'agt_b', types: false }]);
  assert.ok(!guests.at('c', 8000).visitorTypes);
  assert.deepEqual(guests.at('c', 40_000).agents, []);
  guests.take({ what: 'typing', on: true, from, conversation: 'c' }, 50_000);
  guests.stopTyping('c', from);
  assert.ok(!guests.at('c', 50_001).visitorTypes);
});

test('a draft outlives the page, and goes when it is empty', () => {
  const kept = new Map();
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  new Drafts(storage, 'd').set('cnv_1', { text: 'half a sen', isNote: true });
  const again = new Drafts(storage, 'd');
  assert.deepEqual(again.of('cnv_1'), { text: 'half a sen', isNote: true });
  again.set('cnv_1', { text: '', isNote: false });
  assert.equal(kept.get('d'), '{}');
});
