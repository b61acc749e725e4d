// Bare sockets against a gateway: bytes out, and every HTTP answer that comes back.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import tls from 'node:tls';
import { Gateway } from './gateway.mjs';

const DEADLINE_MS = 20_000;

// A self-signed certificate in `folder`: {certificate, key} are its files.
export function makeCertificate(folder, name = 'localhost') {
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.certificate];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return files;
}

// Splits what came back into answers {status, headers, body} by Content-Length.
export function readAnswers(text) {
  const answers = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) throw new Error(`not an answer: ${JSON.stringify(text.slice(at))}`);
    const [first, ...lines] = text.slice(at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const size = Number(headers['content-length'] ?? 0);
    const body = text.slice(end + 4, end + 4 + size);
    answers.push({ status, headers, body });
    at = end + 4 + body.length;
  }
  return answers;
}

export class RawSocket {
  constructor(url) {
    const { protocol, hostname, port } = new URL(url);
    const to = { host: hostname, port: Number(port), allowHalfOpen: true };
    this.socket = protocol === 'https:'
      ? tls.connect({ ...to, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      : net.connect(to);
    this.chunks = [];
    this.isClosed = false;
    this.opened = new Promise((resolve, reject) => {
      this.socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', resolve);
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.isClosed = true;
        resolve();
      };
      this.socket.once('end', end);
      this.socket.once('close', end);
    });
    this.socket.on('error', (error) => (this.error = error));
    this.socket.on('data', (chunk) => this.chunks.push(chunk));
    this.socket.setTimeout(DEADLINE_MS, () => this.socket.destroy(new Error('nothing came')));
  }

  get text() {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  // Strings are bytes (latin1); resolves when the system has taken them.
  write(bytes) {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => this.socket.write(data, resolve));
  }

  // Resolves when the bytes received fit.
  async until(fits) {
    while (!fits(this.text)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.text)}`);
      await new Promise((resolve) => {
        this.socket.once('data', resolve);
        this.socket.once('end', resolve);
        this.socket.once('close', resolve);
      });
    }
    return this.text;
  }

  destroy() {
    this.socket.destroy();
  }
}

// A gateway on plain HTTP and one on TLS for the whole file, each with
// exchange(...pieces): writes the pieces one by one (null: closes our half), waits for the
// gateway to close, gives {text, answers, isClosed}.
export function openGateways(options) {
  return ['http', 'https'].map((scheme) => {
    const gateway = { scheme };
    before(async () => {
      gateway.folder = mkdtempSync(join(tmpdir(), 'holdline-raw-'));
      const env = { ...options.env };
      if (scheme === 'https') {
        gateway.files = makeCertificate(gateway.folder);
        env.HOLDLINE_TLS_CERTIFICATE = gateway.files.certificate;
        env.HOLDLINE_TLS_KEY = gateway.files.key;
      }
      gateway.process = await Gateway.start({ ...options, env });
      gateway.url = gateway.process.url;
    });
    after(async () => {
      await gateway.process?.remove();
      rmSync(gateway.folder, { recursive: true, force: true });
    });
    gateway.open = async () => {
      const socket = new RawSocket(gateway.url);
      await socket.opened;
      return socket;
    };
    gateway.exchange = async (...pieces) => {
      const socket = await gateway.open();
      for (const piece of pieces) {
        if (piece === null) socket.socket.end();
        else await socket.write(piece);
      }
      await socket.closed;
      socket.destroy();
      return { text: socket.text, answers: readAnswers(socket.text), isClosed: socket.isClosed && !socket.error };
    };
    return gateway;
  });
}
