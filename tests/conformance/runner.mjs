// Runs the cases of cases/*.json against a URL. The cases are data, so that a runner in another
// language is a small thing: README.md says what each step means.
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { request } from '../support/http.mjs';
import { expand, explain, matches, pick } from './match.mjs';
import { PollSession, WebSocketSession } from './sessions.mjs';

const CASES = fileURLToPath(new URL('./cases/', import.meta.url));
const SECTIONS = ['session', 'publish', 'replay', 'poll', 'fencing', 'auth', 'errors', 'enquiry'];
const TRANSPORTS = { websocket: WebSocketSession, longpoll: PollSession };
const AGAIN_MS = 500;
const USAGE = `usage: holdline-conformance URL [--key hlk_…] [--section NAME] [--json]

Checks the gateway at URL against the holdline protocol, version 1. It makes conversations and
enquiries of its own there. Cases that need an agent run with --key (or HOLDLINE_KEY) only.

Exit codes: 0 all passed, 1 some failed, 2 wrong usage, 3 nobody answers at URL.`;

class Run {
  constructor(url, { key, deadlineMs }, transport) {
    Object.assign(this, { url, deadlineMs, transport, sessions: new Map() });
    this.values = { key, nonce: randomUUID().slice(0, 8) };
  }

  expand(value) {
    return expand(value, this.values);
  }

  check(pattern, value, what) {
    if (!matches(this.expand(pattern), value)) throw new Error(`${what}: ${explain(this.expand(pattern), value)}`);
  }

  save(places = {}, value) {
    for (const [name, pointer] of Object.entries(places)) this.values[name] = pick(value, pointer);
  }

  session(name) {
    const session = this.sessions.get(name);
    if (!session) throw new Error(`the case opens no session "${name}"`);
    return session;
  }

  async step(step) {
    const [verb] = Object.keys(step);
    const action = VERBS[verb];
    if (!action) throw new Error(`unknown step "${verb}"`);
    await action(this, step);
  }

  async close() {
    await Promise.all([...this.sessions.values()].map((session) => session.drop()));
  }
}

const VERBS = {
  async open(run, step) {
    const Session = TRANSPORTS[step.transport ?? run.transport];
    const session = new Session(run.url, { origin: step.origin, deadlineMs: run.deadlineMs });
    run.sessions.set(step.open, session);
    await session.open(run.expand(step.hello ?? { t: 'hello', v: 1 }));
  },
  async send(run, step) {
    await run.session(step.send).send(run.expand(step.frame ?? step.frames));
  },
  async text(run, step) {
    await run.session(step.text).sendText(run.expand(step.data));
  },
  async expect(run, step) {
    const session = run.session(step.expect);
    const repeat = step.again && setInterval(() => VERBS.send(run, step.again).catch(() => {}), AGAIN_MS);
    const frame = await session
      .next((f) => f.t === step.frame.t && (!step.where || matches(run.expand(step.where), f)))
      .finally(() => clearInterval(repeat));
    run.check(step.frame, frame, `frame of ${step.expect}`);
    run.save(step.save, frame);
  },
  // Up to the answer of a ping, no frame that fits may come.
  async none(run, step) {
    const session = run.session(step.none);
    const ts = randomUUID();
    await session.send({ t: 'ping', ts });
    for (;;) {
      const frame = await session.next(() => true);
      if (frame.t === 'pong' && frame.ts === ts) return;
      if (matches(run.expand(step.frame), frame)) throw new Error(`must not come: ${JSON.stringify(frame)}`);
    }
  },
  async drop(run, step) {
    await run.session(step.drop).drop();
  },
  async ended(run, step) {
    const why = await run.session(step.ended).end();
    run.check(step.why, why, `end of ${step.ended}`);
  },
  async refused(run, step) {
    const Session = TRANSPORTS[step.transport ?? run.transport];
    const session = new Session(run.url, { origin: step.origin, deadlineMs: run.deadlineMs });
    run.sessions.set(step.refused, session);
    const why = await session.openRefused(run.expand(step.hello));
    run.check(step.why, why, `refusal of ${step.refused}`);
  },
  async http(run, step) {
    const { method, path, headers, body } = run.expand(step.http);
    const answer = await request(run.url + path, { method, headers, body });
    const seen = { status: answer.status, headers: answer.headers, body: answer.json ?? answer.text };
    run.check(step.answer, seen, `${method ?? 'POST'} ${path}`);
    run.save(step.save, seen);
  },
  // Requests under way at once; each may be awaited later by its name.
  async begin(run, step) {
    const { method, path, headers, body } = run.expand(step.request);
    const answer = request(run.url + path, { method, headers, body });
    answer.catch(() => {});
    run.values[`pending ${step.begin}`] = answer;
  },
  async finish(run, step) {
    const answer = await run.values[`pending ${step.finish}`];
    const seen = { status: answer.status, headers: answer.headers, body: answer.json ?? answer.text };
    run.check(step.answer, seen, `answer of ${step.finish}`);
    run.save(step.save, seen);
  },
  async set(run, step) {
    Object.assign(run.values, run.expand(step.set));
  },
};

async function runCase(url, options, entry, transport) {
  const run = new Run(url, options, transport);
  let at = 0;
  try {
    for (const step of entry.steps) {
      await run.step(step);
      at += 1;
    }
    return null;
  } catch (error) {
    return `step ${at + 1} ${JSON.stringify(entry.steps[at]).slice(0, 160)}: ${error.message}`;
  } finally {
    await run.close();
  }
}

export function loadCases() {
  const files = readdirSync(CASES).filter((file) => file.endsWith('.json'));
  const all = files.map((file) => JSON.parse(readFileSync(CASES + file, 'utf8')));
  return all.sort((a, b) => SECTIONS.indexOf(a.section) - SECTIONS.indexOf(b.section));
}

// Every case on each of its transports: [{section, name, transport, result, why}].
export async function runAll(url, options = {}) {
  const { key, section, report = () => {} } = options;
  const results = [];
  for (const part of loadCases()) {
    if (section && part.section !== section) continue;
    for (const entry of part.cases) {
      for (const transport of entry.transports ?? part.transports ?? Object.keys(TRANSPORTS)) {
        const isSkipped = entry.needs === 'key' && !key;
        const why = isSkipped ? 'needs --key' : await runCase(url, options, entry, transport);
        const result = isSkipped ? 'skipped' : why ? 'failed' : 'passed';
        results.push({ section: part.section, name: entry.name, transport, result, why });
        report(results.at(-1));
      }
    }
  }
  return results;
}

export function count(results) {
  const sections = {};
  for (const { section, result } of results) {
    sections[section] ??= { passed: 0, failed: 0, skipped: 0 };
    sections[section][result] += 1;
  }
  return sections;
}

function parseArguments(args) {
  const options = { key: process.env.HOLDLINE_KEY };
  const rest = [...args];
  while (rest.length) {
    const word = rest.shift();
    if (word === '--key') options.key = rest.shift();
    else if (word === '--section') options.section = rest.shift();
    else if (word === '--json') options.isJson = true;
    else if (word === '--help') options.isHelp = true;
    else if (!word.startsWith('-') && !options.url) options.url = word.replace(/\/$/, '');
    else return null;
  }
  return options.url || options.isHelp ? options : null;
}

export async function main(args) {
  const options = parseArguments(args);
  if (!options || options.isHelp) {
    (options ? console.log : console.error)(USAGE);
    process.exitCode = options ? 0 : 2;
    return;
  }
  try {
    await request(options.url + '/livez');
  } catch (error) {
    console.error(`nobody answers at ${options.url}: ${error.message}`);
    process.exitCode = 3;
    return;
  }
  const report = ({ section, name, transport, result, why }) => {
    if (options.isJson || result === 'passed') return;
    console.log(`${result}: ${section}: ${name} [${transport}]: ${why}`);
  };
  const results = await runAll(options.url, { ...options, report });
  const sections = count(results);
  const failed = results.filter((r) => r.result === 'failed').length;
  if (options.isJson) {
    console.log(JSON.stringify({ url: options.url, sections, results }, null, 2));
  } else {
    for (const [name, { passed, failed: bad, skipped }] of Object.entries(sections)) {
      console.log(`${name.padEnd(10)} ${passed} passed, ${bad} failed, ${skipped} skipped`);
    }
    const passed = results.filter((r) => r.result === 'passed').length;
    console.log(`${passed} of ${results.length} passed`);
  }
  process.exitCode = failed || !results.length ? 1 : 0;
}
