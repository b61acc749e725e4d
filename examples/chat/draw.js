// What the visitor's and the agent's page draw alike.

export const find = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function clock(ts) {
  return new Date(ts).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

const NOTES = {
  opened: 'Conversation opened',
  claimed: 'An agent has joined',
  released: 'Back in the queue',
  transferred: 'Handed over',
  closed: 'Conversation closed',
  reopened: 'Conversation reopened',
  rated: 'Rated',
  erased: 'Erased',
};

// A readable line for what an entry says.
export function wordsOf(entry) {
  if (typeof entry.body?.text === 'string') return entry.body.text;
  if (entry.kind === 'form') return formWords(entry.body);
  return NOTES[entry.kind] ?? entry.kind;
}

function formWords({ contact = {}, message = {}, ...others }) {
  const lines = [message.text, ...Object.values(contact)].filter((value) => typeof value === 'string');
  if (!lines.length) lines.push(...Object.entries(others).map(([name, value]) => `${name}: ${value}`));
  return lines.join('\n');
}

export const isSpeech = (entry) => ['message', 'note', 'form'].includes(entry.kind);

// One entry as a list item; state: '', pending, sent, delivered, read, failed.
export function drawEntry(entry, { isOwn, state = '', who = '' }) {
  if (!isSpeech(entry)) return make('li', 'event', wordsOf(entry));
  const item = make('li', `bubble ${isOwn ? 'own' : 'other'} ${entry.kind} ${state}`);
  item.append(make('p', 'text', wordsOf(entry)));
  const line = make('p', 'line', who ? `${who} · ${clock(entry.ts)}` : clock(entry.ts));
  if (state) line.append(make('span', 'state', state));
  item.append(line);
  return item;
}

// Replaces the list's items, and stays at the bottom if it was there.
export function fill(list, items) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.replaceChildren(...items);
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

// Enter sends, Shift+Enter breaks the line; the box grows with its text.
export function wireComposer(form, box, say, typing = () => {}) {
  const grow = () => {
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight, 140)}px`;
  };
  let toldAt = 0;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    say(text);
    box.value = '';
    toldAt = 0;
    grow();
  });
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  box.addEventListener('input', () => {
    grow();
    if (Date.now() - toldAt < 3000) return;
    toldAt = Date.now();
    typing(true);
  });
}
