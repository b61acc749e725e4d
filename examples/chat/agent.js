// The agents' page: a queue, and a desk with one conversation. The key comes in the fragment
// (#hlk_…), which never reaches a server, or is pasted; it stays in this tab.

import { AgentApi, Feed } from './api.js';
import { Companion } from './companion.js';
import { clock, drawEntry, fill, find, isSpeech, make, wireComposer, wordsOf } from './draw.js';

const KEY = 'holdline.agent-key';
const TYPING_SHOWN_MS = 6000;
const transport = new URLSearchParams(location.search).get('transport') ?? 'auto';
const TABS = {
  waiting: { label: 'Waiting', fits: (c) => c.status === 'open' && !c.assignee },
  mine: { label: 'Mine', fits: (c) => c.status === 'open' && c.assignee === me.id },
  all: { label: 'All', fits: () => true },
};

let me = null;
let api = null;
let companion = null;
let tab = 'waiting';
let typingTimer = 0;
let isLive = false; // the feed
const conversations = new Map(); // id -> conversation, with `last` entry
const transcripts = new Map(); // id -> entries, in order
const pending = new Map(); // id -> messages that are not confirmed yet
const visitorAt = new Map(); // id -> {delivered, read}
let current = null;

// -- what is known ----------------------------------------------------------------------------

function takeEntry(entry) {
  const id = entry.conversation;
  const known = transcripts.get(id);
  if (known && entry.offset === (known.at(-1)?.offset ?? 0) + 1) known.push(entry);
  pending.set(id, (pending.get(id) ?? []).filter((item) => item.clientId !== entry.client_id));
  const conversation = conversations.get(id);
  if (conversation && isSpeech(entry)) conversation.last = entry;
  refresh(id);
  if (id === current && entry.from.role === 'visitor') showTyping(false);
}

// State changes are a fold the gateway does: ask it.
async function refresh(id) {
  const last = conversations.get(id)?.last;
  const conversation = await api.conversation(id).catch(() => null);
  if (!conversation) return;
  conversations.set(id, { ...conversation, last });
  if (!last) loadLast(id, conversation.head);
  if (id === current) catchUp(id);
  draw();
}

async function loadLast(id, head) {
  const page = await api.call('GET', `/v1/conversations/${id}/messages?before=${head + 1}&limit=5`).catch(() => null);
  const conversation = conversations.get(id);
  if (!page || !conversation) return;
  conversation.last = page.data.filter(isSpeech).at(-1);
  draw();
}

async function loadAll() {
  const items = await api.conversations();
  for (const item of items) {
    conversations.set(item.id, { ...item, last: conversations.get(item.id)?.last });
    if (!conversations.get(item.id).last) loadLast(item.id, item.head);
  }
  draw();
}

// Whatever of the conversation on the desk is not here yet.
async function catchUp(id) {
  const known = transcripts.get(id) ?? [];
  const at = known.at(-1)?.offset ?? 0;
  if (transcripts.has(id) && at >= (conversations.get(id)?.head ?? 0)) return;
  const { entries } = await api.transcript(id, at);
  const now = transcripts.get(id) ?? [];
  transcripts.set(id, [...now, ...entries.filter((e) => e.offset > (now.at(-1)?.offset ?? 0))]);
  draw();
}

// -- what is done -----------------------------------------------------------------------------

async function choose(id) {
  current = id;
  find('notice').hidden = true;
  await catchUp(id);
  companion.follow(id, transcripts.get(id).at(-1)?.offset ?? 0);
  draw();
  find('log').scrollTop = find('log').scrollHeight;
  find('text').focus();
}

async function say(text) {
  const id = current;
  const isNote = find('internal').checked;
  const item = { clientId: crypto.randomUUID(), text, kind: isNote ? 'note' : 'message', ts: Date.now() };
  pending.set(id, [...(pending.get(id) ?? []), item]);
  draw();
  try {
    await api.say(id, item.clientId, text, isNote ? 'internal' : 'public');
  } catch (error) {
    item.failure = error.message;
    draw();
  }
}

async function act(what) {
  try {
    const conversation = await what();
    conversations.set(conversation.id, { ...conversations.get(conversation.id), ...conversation });
  } catch (error) {
    find('notice').textContent = error.message;
    find('notice').hidden = false;
    await refresh(current);
  }
  draw();
}

// -- drawing ----------------------------------------------------------------------------------

function nameOf(conversation) {
  const form = (transcripts.get(conversation.id) ?? []).find((e) => e.kind === 'form');
  return form?.body.contact?.name ?? `Visitor ${conversation.reference.slice(-4)}`;
}

function tagOf(conversation) {
  if (conversation.status === 'closed') return make('span', 'tag', 'closed');
  if (conversation.assignee === me.id) return make('span', 'tag mine', 'yours');
  if (conversation.assignee) return make('span', 'tag', 'taken');
  return conversation.waiting_since ? make('span', 'tag waits', 'waits') : make('span', 'tag', 'open');
}

function drawItem(conversation) {
  const item = make('li');
  const button = make('button');
  button.type = 'button';
  button.dataset.id = conversation.id;
  button.setAttribute('aria-current', String(conversation.id === current));
  button.append(
    make('span', 'name', nameOf(conversation)),
    make('span', 'when', clock(conversation.updated_at)),
    make('span', 'last', conversation.last ? wordsOf(conversation.last) : ''),
    tagOf(conversation),
  );
  button.addEventListener('click', () => choose(conversation.id));
  item.append(button);
  return item;
}

function drawTabs() {
  const buttons = Object.entries(TABS).map(([name, { label, fits }]) => {
    const button = make('button', '', `${label} ${[...conversations.values()].filter(fits).length}`);
    button.type = 'button';
    button.setAttribute('aria-pressed', String(name === tab));
    button.addEventListener('click', () => {
      tab = name;
      draw();
    });
    return button;
  });
  find('tabs').replaceChildren(...buttons);
}

function stateOf(entry) {
  const at = visitorAt.get(current) ?? { delivered: 0, read: 0 };
  if (entry.offset <= at.read) return 'read';
  return entry.offset <= at.delivered ? 'delivered' : 'sent';
}

function whoOf(entry) {
  if (entry.from.role !== 'agent') return entry.kind === 'form' ? 'Enquiry' : '';
  const name = entry.from.id === me.id ? 'You' : 'A colleague';
  return entry.kind === 'note' ? `${name}, for the team` : name;
}

function drawDesk() {
  const conversation = conversations.get(current);
  for (const id of ['head', 'composer']) find(id).hidden = !conversation;
  find('empty').hidden = Boolean(conversation);
  if (!conversation) return;
  find('reference').textContent = nameOf(conversation);
  const isMine = conversation.assignee === me.id;
  const isClosed = conversation.status === 'closed';
  const who = isMine ? 'yours' : conversation.assignee ? 'taken by a colleague' : 'not taken yet';
  find('subtitle').textContent = `${conversation.reference} · ${isClosed ? 'closed' : who}`;
  find('claim').hidden = isClosed || Boolean(conversation.assignee);
  find('close').textContent = isClosed ? 'Reopen' : 'Close';
  const entries = (transcripts.get(current) ?? []).map((entry) => {
    const isOwn = entry.from.role === 'agent';
    const state = isOwn && entry.kind === 'message' ? stateOf(entry) : '';
    return drawEntry(entry, { isOwn, state, who: whoOf(entry) });
  });
  const waiting = (pending.get(current) ?? []).map((item) =>
    drawEntry({ kind: item.kind, body: { text: item.text }, ts: item.ts }, { isOwn: true, state: item.failure ? 'failed' : 'pending' }),
  );
  fill(find('log'), [...entries, ...waiting]);
  const last = transcripts.get(current)?.at(-1)?.offset;
  if (last && document.visibilityState === 'visible') companion.tellRead(last);
}

function draw() {
  drawTabs();
  const shown = [...conversations.values()]
    .filter(TABS[tab].fits)
    .sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  find('list').replaceChildren(...(shown.length ? shown.map(drawItem) : [make('li', 'none', 'Nothing here.')]));
  drawDesk();
}

function showTyping(on) {
  clearTimeout(typingTimer);
  find('typing').hidden = !on;
  if (on) typingTimer = setTimeout(() => showTyping(false), TYPING_SHOWN_MS);
}

function drawState(state, kind) {
  const badge = find('badge');
  badge.className = `badge ${state}`;
  badge.textContent = state === 'live' ? { stream: 'Live', longpoll: 'Long-poll' }[kind] : 'Reconnecting';
}

// -- starting ---------------------------------------------------------------------------------

async function signIn(key) {
  const candidate = new AgentApi(location.origin, key);
  me = await candidate.me();
  api = candidate;
  sessionStorage.setItem(KEY, key);
  find('me').textContent = me.name;
  find('login').hidden = true;
  find('console').hidden = false;
  companion = new Companion(location.origin, key, transport);
  companion.addEventListener('typing', ({ detail }) => detail.from.role === 'visitor' && showTyping(detail.on));
  companion.addEventListener('receipt', ({ detail }) => {
    if (detail.from.role === 'visitor') visitorAt.set(detail.c, detail);
    drawDesk();
  });
  const feed = new Feed(api, {
    useStream: transport !== 'longpoll',
    onEvent: takeEntry,
    onReset: loadAll,
    onState: (state, kind) => {
      drawState(state, kind);
      if (state === 'live' && !isLive) loadAll().catch(() => {});
      isLive = state === 'live';
    },
  });
  feed.run();
  draw();
}

function askForKey(why = '') {
  find('login').hidden = false;
  find('refusal').textContent = why;
  find('refusal').hidden = !why;
}

find('login').addEventListener('submit', (event) => {
  event.preventDefault();
  signIn(find('key').value.trim()).catch((error) => askForKey(error.message));
});
find('claim').addEventListener('click', () => {
  tab = 'mine';
  act(() => api.claim(current));
});
find('close').addEventListener('click', () => {
  const conversation = conversations.get(current);
  act(() => api.setStatus(conversation, conversation.status === 'open' ? 'closed' : 'open'));
});
wireComposer(find('composer'), find('text'), (text) => current && say(text), (on) => companion.tellTyping(on));
document.addEventListener('visibilitychange', () => api && drawDesk());

const given = location.hash.slice(1) || sessionStorage.getItem(KEY);
if (location.hash) history.replaceState(null, '', location.pathname + location.search);
if (given) signIn(given).catch((error) => askForKey(error.message));
else askForKey();
