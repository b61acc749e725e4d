#!/usr/bin/env node
// A chat in the terminal, with npm's `ws` and docs/protocol.md alone.
//
//   npm install && node chat.mjs http://127.0.0.1:8080 [STATE.json]
//
// Each line of stdin is a message; at its end the program waits until all is confirmed. With a
// state file the conversation goes on at the next start, and nothing typed is lost.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const [url, stateFile] = process.argv.slice(2);
if (!url) {
  console.error('usage: chat.mjs URL [STATE.json]');
  process.exit(2);
}

const state = { token: null, c: null, e: null, o: 0, nextSeq: 1, outbox: [] };
if (stateFile && existsSync(stateFile)) Object.assign(state, JSON.parse(readFileSync(stateFile, 'utf8')));

let socket = null;
let isAttached = false;
let attempts = 0;
let isInputOver = false;
let silence;

function save() {
  if (!stateFile) return;
  writeFileSync(stateFile + '.new', JSON.stringify(state), { mode: 0o600 }); // the token is a secret
  renameSync(stateFile + '.new', stateFile);
}

function send(...frames) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frames));
}

function say(text) {
  const pub = { t: 'pub', mid: randomUUID(), seq: state.nextSeq++, body: { text } };
  state.outbox.push(pub);
  save(); // before it is sent
  if (isAttached) send(pub);
}

function attach() {
  socket = new WebSocket(url.replace(/^http/, 'ws') + '/v1/ws', 'holdline.v1');
  let bye = null;
  socket.on('open', () => {
    const hello = { t: 'hello', v: 1, seq: state.outbox[0]?.seq ?? state.nextSeq };
    if (state.token) hello.token = state.token;
    if (state.e) hello.pos = [{ c: state.c, e: state.e, o: state.o }];
    send(hello);
    watch(10_000);
  });
  socket.on('message', (data) => {
    for (const frame of [JSON.parse(String(data))].flat()) {
      if (frame.t === 'bye') bye = frame;
      handlers[frame.t]?.(frame);
    }
  });
  socket.on('close', (code) => comeBack(code, bye));
  socket.on('error', () => {}); // 'close' follows
}

// Nobody there for so long: give the link up.
function watch(ms) {
  clearTimeout(silence);
  silence = setTimeout(() => socket.terminate(), ms);
}

function comeBack(code, bye) {
  isAttached = false;
  clearTimeout(silence);
  if (isInputOver && !state.outbox.length) return;
  if (code >= 4000 && code < 4100) {
    console.error(`ended: ${bye?.problem.detail ?? code}`);
    process.exitCode = 1;
    return;
  }
  const span = Math.min(20_000, 500 * 2 ** attempts++);
  const wait = code >= 4200 && code < 4300 && attempts === 1 ? 0 : Math.max(100, Math.random() * span);
  setTimeout(attach, (bye?.retry_ms ?? 0) + wait);
}

function take(o, who, text) {
  state.o = o;
  save();
  console.log(`${o} ${who}: ${text}`);
}

function leaveIfDone() {
  if (!isInputOver || state.outbox.length) return;
  send({ t: 'bye' });
  socket.close();
}

let pingMs = 25_000;
const handlers = {
  welcome(frame) {
    const [{ c, verdict, e }] = frame.conv;
    if (c !== state.c || verdict === 'reset') state.o = 0;
    Object.assign(state, { token: frame.token, c, e });
    save();
    isAttached = true;
    attempts = 0;
    pingMs = frame.ping_ms;
    watch(pingMs + 10_000);
    console.log(`# ${verdict} ${c}`);
    if (state.outbox.length) send(...state.outbox);
    leaveIfDone();
  },
  msg({ o, after, from, kind, body }) {
    if (o <= state.o) return;
    if ((after ?? o - 1) > state.o) {
      send({ t: 'hist', after: state.o });
      return;
    }
    take(o, from.role, body.text ?? kind);
    send({ t: 'ack', e: state.e, o, read: o });
  },
  pub_ok({ mid, o, after }) {
    const pub = state.outbox.find((other) => other.mid === mid);
    state.outbox = state.outbox.filter((other) => other !== pub);
    if (pub && o > state.o && (after ?? o - 1) <= state.o) take(o, 'visitor', pub.body.text);
    save();
    leaveIfDone();
  },
  pub_no({ mid, want, problem }) {
    if (problem.code === 'out_of_order') {
      send(...state.outbox.filter((pub) => pub.seq >= want));
    } else if (problem.retryable) {
      setTimeout(() => send(...state.outbox), problem.retry_ms ?? 1000);
    } else {
      console.error(`refused: ${problem.detail}`);
      state.outbox = state.outbox.filter((pub) => pub.mid !== mid);
      save();
      leaveIfDone();
    }
  },
  synced({ o }) {
    state.o = Math.max(state.o, o);
    save();
  },
  gap({ to }) {
    state.o = to;
  },
  ping({ heads }) {
    watch(pingMs + 10_000);
    send({ t: 'pong' });
    if (heads.some(({ c, o }) => c === state.c && o > state.o)) send({ t: 'hist', after: state.o });
  },
  drain({ window_ms: windowMs }) {
    setTimeout(() => socket.close(), Math.random() * windowMs);
  },
  error({ problem }) {
    console.error(`error: ${problem.detail}`);
  },
};

const input = createInterface({ input: process.stdin });
input.on('line', (line) => line && say(line));
input.on('close', () => {
  isInputOver = true;
  if (isAttached) leaveIfDone();
});
attach();
