// The examples, made from the protocol page alone, each complete a chat.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useGateway, wireTest } from '../support/suite.mjs';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const DEADLINE_MS = 20_000;
const gateway = useGateway();

// A program whose lines can be waited for.
class Program {
  constructor(command, args, options) {
    this.child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    this.output = '';
    this.errors = '';
    this.looks = new Set();
    const take = (part) => (chunk) => {
      this[part] += chunk;
      for (const look of [...this.looks]) look();
    };
    this.child.stdout.on('data', take('output'));
    this.child.stderr.on('data', take('errors'));
    this.exited = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
  }

  say(text) {
    this.child.stdin.write(`${text}\n`);
  }

  saw(pattern) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.output);
        if (!match) return;
        clearTimeout(timer);
        this.looks.delete(look);
        resolve(match);
      };
      const timer = setTimeout(() => reject(new Error(`no ${pattern} in: ${this.output}${this.errors}`)), DEADLINE_MS);
      this.looks.add(look);
      look();
    });
  }
}

async function answerOf(t, c, text) {
  const ann = await t.connect(gateway, { key: await gateway.key('ann') });
  await ann.subscribe(c);
  assert.equal((await ann.publish(text, { c })).t, 'pub_ok');
}

wireTest('examples/node-ws: a chat through kill -9 and a restart of the program', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdline-example-'));
  copyFileSync(`${EXAMPLES}node-ws/chat.mjs`, join(folder, 'chat.mjs'));
  symlinkSync(MODULES, join(folder, 'node_modules'));
  const state = join(folder, 'state.json');
  const run = () => new Program(process.execPath, ['chat.mjs', gateway.url, state], { cwd: folder });
  try {
    const first = run();
    const [, c] = await first.saw(/# resumed (cnv_\w+)/);
    first.say('one');
    await first.saw(/^1 visitor: one$/m);
    await answerOf(t, c, 'two');
    await first.saw(/^2 agent: two$/m);
    await gateway.kill();
    first.say('three');
    await gateway.start();
    await first.saw(/^3 visitor: three$/m);
    first.child.stdin.end();
    assert.equal(await first.exited, 0, first.errors);
    await answerOf(t, c, 'four');
    const second = run();
    await second.saw(/^4 agent: four$/m);
    second.say('five');
    second.child.stdin.end();
    assert.equal(await second.exited, 0, second.errors);
    assert.match(second.output, /^5 visitor: five$/m);
    assert.ok(!/^[123] /m.test(second.output), 'nothing came twice');
    assert.deepEqual(JSON.parse(readFileSync(state, 'utf8')).outbox, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

wireTest('examples/curl: an enquiry and a chat', async (t) => {
  const program = new Program('bash', [`${EXAMPLES}curl/chat.sh`, gateway.url], { env: { ...process.env, LISTEN_MS: '15000' } });
  await program.saw(/# enquiry \S+, answer expected by \d{4}-/);
  const [, c] = await program.saw(/# resumed (cnv_\w+)/);
  program.say('one "quoted" \\ and ünï');
  await program.saw(/^1 visitor: one "quoted" \\ and ünï$/m);
  await gateway.restart();
  program.say('two');
  await program.saw(/^2 visitor: two$/m);
  program.child.stdin.end();
  await answerOf(t, c, 'three');
  await program.saw(/^3 agent: three$/m);
  assert.equal(await program.exited, 0, program.errors);
});

// A fenced block of the protocol page, by the heading before it.
function blockOf(heading, language) {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const part = page.slice(page.indexOf(`\n## ${heading}\n`));
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(part)[1];
}

wireTest('the worked session with curl works', async (t) => {
  const program = new Program('bash', ['-eu'], { env: { ...process.env, URL: gateway.url } });
  program.child.stdin.end(blockOf('Worked session with curl', 'sh'));
  const [, c] = await program.saw(/"c":"(cnv_\w+)"/);
  await program.saw(/"t":"pub_ok"[^\n]*"o":1[^\n]*"dup":false/);
  await program.saw(/"t":"pub_ok"[^\n]*"o":1[^\n]*"dup":true/);
  await answerOf(t, c, 'the answer');
  await program.saw(/"t":"msg"[^\n]*"o":2[^\n]*the answer/);
  assert.equal(await program.exited, 0, program.errors);
});
