// Fifty agents claim one conversation at once, in two hundred rounds, over sockets of their own:
// one has it, the others are told who.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { test } from 'node:test';
import { findClaimFault } from '../support/claims.mjs';
import { FeedReader } from '../support/feed.mjs';
import { request } from '../support/http.mjs';
import { useGateway, wireTest } from '../support/suite.mjs';

const AGENTS = 50;
const ROUNDS = 200;
const gateway = useGateway({ env: { HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });

async function makeAgent(i) {
  const name = `agent ${i}`;
  const key = await gateway.key(name);
  const headers = { authorization: `Bearer ${key}` };
  const { json } = await request(`${gateway.url}/v1/agent`, { headers });
  return { name, key, headers, id: json.id, socket: new http.Agent({ keepAlive: true, maxSockets: 1 }) };
}

async function openConversation() {
  const body = { contact: { name: 'Jo', email: 'jo@example.com' }, message: { text: 'hello' } };
  const headers = { 'idempotency-key': randomUUID() };
  const { json } = await request(`${gateway.url}/v1/enquiries`, { method: 'POST', body, headers });
  return json.conversation;
}

async function claim(agent, conversation) {
  const url = `${gateway.url}/v1/conversations/${conversation}/assignee`;
  const headers = { ...agent.headers, 'if-none-match': '*' };
  const { status, json } = await request(url, { method: 'PUT', headers, agent: agent.socket });
  return { agent: agent.id, name: agent.name, status, json };
}

wireTest(`of ${AGENTS} agents who claim at once one wins, ${ROUNDS} times`, async () => {
  const agents = await Promise.all(Array.from({ length: AGENTS }, (_, i) => makeAgent(i)));
  const reader = await new FeedReader(gateway, { key: agents[0].key, transport: 'websocket' }).start();
  const conversations = await Promise.all(Array.from({ length: ROUNDS }, openConversation));
  const rounds = [];
  for (const conversation of conversations) {
    rounds.push(await Promise.all(agents.map((agent) => claim(agent, conversation))));
  }
  const marker = await openConversation(); // the feed is in order: what came before it is all there
  await reader.until(() => reader.of(marker).length > 0, 'the end of the feed');
  rounds.forEach((answers, i) => {
    const fault = findClaimFault(answers, reader.of(conversations[i]));
    assert.equal(fault, undefined, `round ${i + 1}: ${fault}`);
  });
  assert.ok(new Set(rounds.map((answers) => answers.find((a) => a.status === 200).agent)).size > 1, 'the winners differ');
  await reader.close();
  agents.forEach((agent) => agent.socket.destroy());
});

test('the judge of claims finds what can be wrong', () => {
  const won = { agent: 'agt_1', name: 'one', status: 200, json: { assignee: 'agt_1' } };
  const told = { code: 'precondition_failed', assignee: 'agt_1', assignee_name: 'one' };
  const lost = { agent: 'agt_2', name: 'two', status: 412, json: told };
  const claimed = { kind: 'claimed', subject: 'agt_1' };
  assert.equal(findClaimFault([won, lost], [{ kind: 'form' }, claimed]), undefined);
  const faults = [
    [[won, { ...won, agent: 'agt_2' }], [claimed]],
    [[lost], [claimed]],
    [[won, { ...lost, status: 503 }], [claimed]],
    [[won, { ...lost, json: { ...told, assignee: 'agt_2' } }], [claimed]],
    [[won, { ...lost, json: { ...told, assignee_name: undefined } }], [claimed]],
    [[{ ...won, json: { assignee: 'agt_2' } }, lost], [claimed]],
    [[won, lost], [claimed, { kind: 'transferred', subject: 'agt_2' }]],
    [[won, lost], []],
    [[won, lost], [{ kind: 'claimed', subject: 'agt_2' }]],
  ];
  faults.forEach(([answers, events], i) => assert.ok(findClaimFault(answers, events), `fault ${i}`));
});
