// A gateway process of its own, on a port of its own, with a data folder of its own.
// The binary is named by HOLDLINE_BIN.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from './http.mjs';
import { checkApi } from './openapi.mjs';

const BUILT = fileURLToPath(new URL('../../build/gateway/holdline', import.meta.url));
export const HOLDLINE = process.env.HOLDLINE_BIN ?? BUILT;
const START_MS = 20_000;
const STOP_MS = 40_000;

function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Runs the command line once: {code, stdout, stderr}.
export function holdline(args, { env = {}, input } = {}) {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: STOP_MS };
    const child = execFile(HOLDLINE, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
    if (input !== undefined) child.stdin.end(input);
  });
}

export class Gateway {
  // config: text of a configuration file; args: more arguments of `serve`.
  constructor({ config, args = [], env = {} } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'holdline-'));
    this.data = join(this.folder, 'data');
    this.listen = '127.0.0.1:0';
    this.args = args;
    this.env = env;
    this.log = '';
    if (config !== undefined) this.configure(config);
  }

  static async start(options) {
    const gateway = new Gateway(options);
    await gateway.start();
    return gateway;
  }

  configure(text) {
    this.configFile = join(this.folder, 'holdline.conf');
    writeFileSync(this.configFile, text);
  }

  async start() {
    const args = ['serve', '--listen', this.listen, '--data', this.data];
    if (this.configFile) args.push('--config', this.configFile);
    const env = { ...process.env, ...this.env };
    this.child = spawn(HOLDLINE, [...args, ...this.args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      this.child.once('error', (error) => resolve({ code: null, signal: String(error) }));
    });
    this.child.stderr.on('data', (chunk) => (this.log += chunk));
    const lines = createInterface({ input: this.child.stdout });
    const first = new Promise((resolve) => lines.once('line', resolve));
    const line = await within(Promise.race([first, this.exited]), START_MS, 'start');
    const [, url] = /^listening (https?:\/\/\S+)$/.exec(line) ?? [];
    if (!url) throw new Error(`did not start: ${JSON.stringify(line)}\n${this.log}`);
    this.url = url;
    this.ws = url.replace(/^http/, 'ws');
    this.listen = new URL(url).host; // a restart comes back to the same place
    return this;
  }

  // As a power cut would end it.
  async kill() {
    this.child.kill('SIGKILL');
    return within(this.exited, STOP_MS, 'kill');
  }

  async restart() {
    await this.kill();
    return this.start();
  }

  signal(name) {
    this.child.kill(name);
  }

  // In good order: the exit code.
  async stop() {
    this.child.kill('SIGTERM');
    const { code, signal } = await within(this.exited, STOP_MS, 'stop');
    return code ?? signal;
  }

  async remove() {
    if (this.isRunning) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // An API key for agents; when this returns, the gateway knows it.
  async key(name, more = []) {
    const { code, stdout, stderr } = await holdline(['key', 'add', '--data', this.data, '--name', name, ...more]);
    const [secret] = /hlk_[A-Za-z0-9_-]+/.exec(stdout) ?? [];
    if (code !== 0 || !secret) throw new Error(`key add: ${code} ${stdout} ${stderr}`);
    await this.#knows(secret);
    return secret;
  }

  async #knows(secret) {
    const deadline = Date.now() + START_MS;
    const headers = { authorization: `Bearer ${secret}` };
    while (this.isRunning && (await this.request('/v1/agent', { headers })).status !== 200) {
      if (Date.now() > deadline) throw new Error('the gateway does not learn of the key');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get isRunning() {
    return Boolean(this.child) && this.child.exitCode === null && this.child.signalCode === null;
  }

  // One request, whose answer must fit openapi.yaml if the route is in it.
  async request(path, options = {}) {
    const answer = await request(this.url + path, options);
    checkApi(options.method ?? (options.body ? 'POST' : 'GET'), path, answer);
    return answer;
  }
}
