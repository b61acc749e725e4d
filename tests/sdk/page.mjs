// The page of the browser tests: an application that writes down what the SDK tells it, in the
// format of docs/history.md, and says what it is told to say.

/* global Holdline, record */
function application() {
  const query = new URLSearchParams(location.search);
  const name = query.get('name') ?? 'visitor';
  const options = JSON.parse(query.get('options') ?? '{}');
  const note = (line) => record({ ts: Math.round(performance.now() * 1000), client: name, ...line });
  const chat = new Holdline(options);
  Object.assign(window, { chat, got: [], states: [], acks: [], gaps: [], errors: [], failed: [] });
  chat.on('message', (m) => {
    window.got.push(m.text || m.kind);
    note({ op: 'deliver', c: m.conversation, e: m.epoch, o: m.offset, mid: m.clientId, author: m.from.id, body: m.text, kind: m.kind });
  });
  chat.on('ack', ({ message: m, clientId }) => {
    window.acks.push(m.text);
    note({ op: 'acked', c: m.conversation, e: m.epoch, o: m.offset, mid: clientId });
  });
  chat.on('pending', (p) => {
    if (p.state !== 'failed') return;
    window.failed.push([p.text, p.error.code]);
    note({ op: p.error.retryable ? 'refused' : 'failed', c: chat.conversation.id, mid: p.clientId, code: p.error.code });
  });
  chat.on('gap', (gap) => window.gaps.push(gap));
  chat.on('state', ({ state }) => window.states.push(state));
  chat.on('error', ({ code }) => window.errors.push(code));
  window.say = (text) => {
    const pending = window.conversation.send(text);
    note({ op: 'send', c: window.conversation.id, mid: pending.clientId, body: text });
    return pending.clientId;
  };
  window.begin = async () => {
    window.conversation = await chat.start();
    // Where this tab's deliveries begin.
    if (query.has('starts')) note({ op: 'start', c: window.conversation.id, o: window.conversation.position });
  };
  note({ op: 'load' });
  if (query.has('begin')) window.begun = window.begin();
}

export const pageOf = (sdk) => ['text/html', `<!doctype html><meta charset="utf-8"><title>SDK</title>
<script>${sdk.replace(/<\/script/g, '<\\/script')}</script><script>(${application})()</script>`];
