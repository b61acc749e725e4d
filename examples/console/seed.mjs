#!/usr/bin/env node
// A working day's queue for a gateway that is tried out: visitors who ask, answers, notes, tags.
// usage: node examples/console/seed.mjs [URL] [KEY-FILE]     (as ./dev run made them)
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const SHOP = 'https://harbour-bikes.example';

// who: v the visitor, a the agent, n a note of the agent. state: open, claimed or closed.
export const DAY = [
  { name: 'Ida Nygård', email: 'ida@nygard.example', page: '/orders', state: 'closed', tags: ['order'],
    says: ['v The parcel is here, everything as ordered.', 'a Wonderful! Have a good ride.'] },
  { name: 'Sam Lee', email: 'sam@lee.example', page: '/service', state: 'closed', tags: ['repair'],
    says: ['v The brakes are perfect now, thanks!', 'a Glad to hear that, Sam.'] },
  { name: 'Jonas Weber', email: 'j.weber@post.example', page: '/invoice', state: 'claimed', tags: ['invoice'],
    says: ['v Could you send the invoice to my company address instead?', 'a Of course. What is the address, please?',
      'v Weber Metallbau, Hafenstr. 12, 20457 Hamburg', 'a Done. You find it in your mail in a minute.'] },
  { name: 'Grace Otieno', email: 'grace@otieno.example', page: '/checkout', state: 'claimed', tags: ['order'],
    says: ['v My voucher code HARBOUR10 is not accepted.', 'a Let me check that for you, one moment.', 'n Expired last Friday; I give her the new one.',
      'a Please try HARBOUR12, it gives you the same.'] },
  { name: 'Priya Raman', email: 'priya@raman.example', page: '/service', state: 'claimed', tags: ['repair', 'warranty'],
    fields: { order: '19882', model: 'Fjord 3' },
    says: ['v The rear light of my e-bike flickers since the last rain.', 'a Sorry to hear that, Priya. Which model is it, and roughly how old?',
      'v Fjord 3, bought in May.', 'n Inside warranty. Part 88-112 is on the recall list, offer the free swap.',
      'a Thank you. That one is covered: we swap the light for free.', 'a Would Thursday or Friday suit you? It takes ten minutes.',
      'v Friday after 16:00 would be perfect. Do I need to bring the receipt?'] },
  { name: 'Oliver Kahn-Montgomery', email: 'oliver@kahn-montgomery.example', phone: '+49 40 555 0199', page: '/cargo', tags: ['b2b', 'quote', 'urgent'],
    says: ['v We need 14 cargo bikes for our delivery fleet by March. Who can I talk to about a quote?', 'v Ideally with a service contract.'] },
  { name: 'Tomás Herrera', email: 'tomas.h@correo.example', page: '/shipping', tags: ['shipping'],
    says: ['v Do you ship to the Canary Islands, and what would it cost for a bike box?'] },
  { name: 'ليلى حداد', email: 'layla@haddad.example', page: '/helmets', locale: 'ar-LB',
    says: ['v مرحبا، هل لديكم خوذة للأطفال بمقاس صغير؟ وهل يمكن استلامها من المتجر اليوم؟'] },
  { page: '/', says: ['v anyone there?'] },
  { name: 'Mina Sørensen', email: 'mina@nordlys.example', page: '/bikes/harbour-500', locale: 'da-DK', tags: ['order'], fields: { order: '20417' },
    says: ['v Hi! I ordered the Harbour 500 yesterday, order 20417.', 'v Is it too late to change the colour to sea green?'] },
];

export const REPLIES = {
  hello: 'Hello {name}, thank you for writing. I am {agent}; how can I help?',
  hours: 'We are open Monday to Friday from 9 to 18, and on Saturday from 10 to 14.',
  ref: 'Your reference is {reference}. Please keep it for any question later.',
  shipping: 'We ship within the EU in 3 to 5 working days; from 100 € delivery is free.',
};

async function call(url, key, method, path, body, headers = {}) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.detail}`);
  return answer;
}

// A visitor by long-poll, with only what the protocol page says.
class Visitor {
  #rid = 0;
  #seq = 0;
  #state = {};

  constructor(url) {
    this.url = url;
  }

  async #poll(more) {
    const body = JSON.stringify({ rid: (this.#rid += 1), wait_ms: 3000, ...this.#state, ...more });
    const response = await fetch(`${this.url}/v1/poll`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    this.#state.gen = answer.gen;
    return answer.frames;
  }

  async enter() {
    const [welcome] = await this.#poll({ frames: [{ t: 'hello', v: 1 }], wait_ms: 0 });
    this.c = welcome.conv[0].c;
    this.#state.token = welcome.token;
  }

  async say(body, kind = 'message') {
    const mid = randomUUID();
    let frames = await this.#poll({ frames: [{ t: 'pub', mid, seq: (this.#seq += 1), kind, body }] });
    while (!frames.some((frame) => frame.t === 'pub_ok' && frame.mid === mid)) {
      const refused = frames.find((frame) => frame.t === 'pub_no');
      if (refused) throw new Error(refused.problem.detail);
      frames = await this.#poll({ frames: [] });
    }
  }
}

function formOf({ name, email, phone, page, locale = 'en-GB', fields }) {
  const contact = { ...(name && { name }), ...(email && { email }), ...(phone && { phone }) };
  const context = { page: SHOP + page, referrer: 'https://search.example/', locale, time_zone: 'Europe/Berlin' };
  return { contact, context, ...(fields && { fields }) };
}

async function play(url, key, story) {
  const { says, tags = [], state = 'open' } = story;
  const visitor = new Visitor(url);
  await visitor.enter();
  await visitor.say(formOf(story), 'form');
  const at = `/v1/conversations/${visitor.c}`;
  for (const [i, line] of says.entries()) {
    const text = line.slice(2);
    if (i === 1 && state !== 'open') await call(url, key, 'PUT', `${at}/assignee`, undefined, { 'if-none-match': '*' });
    if (line.startsWith('v')) await visitor.say({ text });
    else await call(url, key, 'PUT', `${at}/messages/${randomUUID()}`, { text, visibility: line.startsWith('n') ? 'internal' : 'public' });
  }
  if (tags.length) await call(url, key, 'PATCH', at, { tags }, { 'if-match': '*' });
  if (state === 'closed') await call(url, key, 'PATCH', at, { status: 'closed' }, { 'if-match': '*' });
  return visitor.c;
}

export async function seed(url, key) {
  const { data } = await call(url, key, 'GET', '/v1/canned-replies');
  for (const [shortcut, text] of Object.entries(REPLIES)) {
    if (!data.some((reply) => reply.shortcut === shortcut)) await call(url, key, 'POST', '/v1/canned-replies', { site: 'default', shortcut, text });
  }
  const conversations = [];
  for (const story of DAY) conversations.push(await play(url, key, story));
  return conversations;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [url = 'http://127.0.0.1:8080', file = 'data/agent-key'] = process.argv.slice(2);
  const made = await seed(url.replace(/\/$/, ''), readFileSync(file, 'utf8').trim());
  console.log(`${made.length} conversations`);
}
