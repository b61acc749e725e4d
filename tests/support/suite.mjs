// What the wire tests share: one gateway per file, clients that end with their test, and the
// three ways to travel.
import { after, before, test } from 'node:test';
import { Client } from './client.mjs';
import { Gateway } from './gateway.mjs';

export const TRANSPORTS = ['websocket', 'longpoll', 'mixed'];
const TEST_MS = 60_000;

// A gateway for the whole file; started before its first test.
export function useGateway(options) {
  const gateway = new Gateway(options);
  before(() => gateway.start());
  after(() => gateway.remove());
  return gateway;
}

export function wireTest(name, run, options = {}) {
  test(name, { timeout: TEST_MS, ...options }, async (t) => {
    const clients = [];
    // A client that is closed when the test ends.
    t.client = (gateway, options) => {
      const client = new Client(gateway, options);
      clients.push(client);
      return client;
    };
    t.connect = async (gateway, options) => {
      const client = t.client(gateway, options);
      await client.connect();
      return client;
    };
    try {
      await run(t);
      for (const client of clients) if (client.failure) throw client.failure;
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });
}

// Written once, run on each transport: run(t, transport).
export function onEachTransport(name, run) {
  TRANSPORTS.forEach((transport, index) => {
    wireTest(`${name} [${transport}]`, (t) => {
      const connect = t.connect;
      const client = t.client;
      t.connect = (gateway, options) => connect(gateway, { transport, seed: 7 + index, ...options });
      t.client = (gateway, options) => client(gateway, { transport, seed: 7 + index, ...options });
      return run(t, transport);
    });
  });
}

const AGAIN_MS = 500;

// What is not stored may be lost, and is repeated while it goes on: says it until `heard` settles.
export async function repeating(say, heard) {
  await say();
  const timer = setInterval(say, AGAIN_MS);
  try {
    return await heard;
  } finally {
    clearInterval(timer);
  }
}
