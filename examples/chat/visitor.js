// The visitor's page. ?transport=longpoll behaves as if WebSockets were blocked.

import { ChatClient } from './client.js';
import { drawEntry, fill, find, make, wireComposer } from './draw.js';

const parameters = new URLSearchParams(location.search);
const transport = parameters.get('transport') ?? 'auto';
const client = new ChatClient({
  url: location.origin,
  transport,
  name: `holdline.${parameters.get('name') ?? 'chat'}`,
  context: { page: location.origin + location.pathname, referrer: document.referrer, locale: navigator.language },
});
globalThis.chat = client; // for the curious, and for the tests

const TRANSPORTS = { websocket: 'WebSocket', longpoll: 'Long-poll' };
const STATES = {
  idle: 'Starting',
  connecting: 'Connecting',
  live: 'Connected',
  waiting: 'Reconnecting',
  elsewhere: 'Paused',
  ended: 'Offline',
};

function stateOf(entry) {
  const { delivered, read } = client.receipts;
  if (entry.o <= read) return 'read';
  return entry.o <= delivered ? 'delivered' : 'sent';
}

function drawOutgoing(item) {
  const entry = { kind: 'message', body: item.body, ts: item.at };
  const element = drawEntry(entry, { isOwn: true, state: item.failure ? 'failed' : 'pending' });
  if (item.failure) {
    const button = make('button', 'dismiss', `${item.failure} Dismiss`);
    button.addEventListener('click', () => client.dismiss(item));
    element.append(button);
  }
  return element;
}

function drawBadge() {
  const badge = find('badge');
  badge.className = `badge ${client.status}`;
  badge.textContent = TRANSPORTS[client.transport] ?? STATES[client.status];
  badge.title = STATES[client.status];
  badge.dataset.transport = client.transport ?? '';
}

function drawNotice() {
  const notice = find('notice');
  const { status, outbox, isKept, problem } = client;
  notice.replaceChildren();
  if (status === 'elsewhere') {
    const button = make('button', '', 'Continue here');
    button.addEventListener('click', () => client.resume());
    notice.append('This chat is open in another tab. ', button);
  } else if (status === 'ended') {
    notice.append(problem?.detail ?? 'The chat has ended.');
  } else if (!isKept) {
    notice.append('This browser stores nothing: keep the tab open until all is sent.');
  } else if (status === 'waiting') {
    notice.append(outbox.length ? 'No connection. Your messages are kept and will be sent.' : 'No connection. Trying again.');
  }
  notice.hidden = !notice.childNodes.length;
}

const GREETING = {
  kind: 'message',
  body: { text: 'Hello! Ask us anything about our bikes, orders or repairs.' },
  ts: Date.now(),
};

function draw() {
  const isOwn = (entry) => entry.from.role === 'visitor';
  const entries = client.entries.map((entry) =>
    drawEntry(entry, { isOwn: isOwn(entry), state: isOwn(entry) ? stateOf(entry) : '' }),
  );
  fill(find('log'), [drawEntry(GREETING, { isOwn: false }), ...entries, ...client.outbox.map(drawOutgoing)]);
  find('typing').hidden = !client.typing;
  find('people').textContent = client.agents.size ? 'An agent is here' : 'We answer within minutes';
  drawBadge();
  drawNotice();
  if (document.visibilityState === 'visible') client.markRead();
}

client.addEventListener('change', draw);
document.addEventListener('visibilitychange', draw);
wireComposer(find('composer'), find('text'), (text) => {
  client.say(text);
  find('log').scrollTop = find('log').scrollHeight;
}, (on) => client.tellTyping(on));

find('blocked').checked = transport === 'longpoll';
find('blocked').addEventListener('change', (event) => {
  parameters.set('transport', event.target.checked ? 'longpoll' : 'auto');
  location.search = String(parameters);
});
find('anew').addEventListener('click', () => {
  client.stop();
  client.forget();
  location.reload();
});

// Of several tabs one holds the link; "Continue here" takes it over.
function startAlone() {
  if (!navigator.locks) {
    client.start();
    return;
  }
  const hold = () => new Promise(() => client.start());
  navigator.locks.request(client.store.name, { ifAvailable: true }, (lock) => {
    if (lock) return hold();
    client.status = 'elsewhere';
    draw();
    client.resume = () => {
      delete client.resume;
      Object.assign(client, client.store.load());
      navigator.locks.request(client.store.name, { steal: true }, hold).catch(leave);
    };
    return undefined;
  }).catch(leave);
}

// Another tab took the lock.
function leave() {
  client.stop();
  client.status = 'elsewhere';
  client.resume = () => location.reload();
  draw();
}

startAlone();
draw();
