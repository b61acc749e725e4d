// The request gate over bare sockets: what is ambiguous as HTTP is refused once and the
// connection is closed; nothing behind it is ever read as a second request. Plain and TLS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGateways } from '../support/raw.mjs';

const gateways = openGateways({ env: { HOLDLINE_TEST_MODE: 'true', HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });
const HOST = 'Host: gateway.test\r\n';

// A request that must be refused, each followed by one that would be answered 200 if the
// gateway read on behind it.
const BEHIND = `GET /test/marker HTTP/1.1\r\n${HOST}\r\n`;
const REFUSED = {
  'chunked body': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  'Transfer-Encoding in capitals': [400, `POST /test/echo HTTP/1.1\r\n${HOST}TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n`],
  'Transfer-Encoding identity': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`],
  'both lengths': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  'space before the colon': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  'two Content-Lengths': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n`],
  'two equal Content-Lengths': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  'list of Content-Lengths': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 0, 0\r\n\r\n`],
  'negative Content-Length': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`],
  'signed Content-Length': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd`],
  'hexadecimal Content-Length': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 0x4\r\n\r\nabcd`],
  'empty Content-Length': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`],
  'overflowing Content-Length': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 18446744073709551617\r\n\r\na`],
  'Content-Length above the limit': [413, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 999999999\r\n\r\n`],
  'compressed body': [415, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd`],
  'two Cookies': [400, `GET /livez HTTP/1.1\r\n${HOST}Cookie: a=1\r\nCookie: a=2\r\n\r\n`],
  'GET with a body': [400, `GET /livez HTTP/1.1\r\n${HOST}Content-Length: ${BEHIND.length}\r\n\r\n`],
  'HEAD with a body': [400, `HEAD /livez HTTP/1.1\r\n${HOST}Content-Length: ${BEHIND.length}\r\n\r\n`],
  'DELETE with a body': [400, `DELETE /livez HTTP/1.1\r\n${HOST}Content-Length: ${BEHIND.length}\r\n\r\n`],
  'OPTIONS with a body': [400, `OPTIONS /livez HTTP/1.1\r\n${HOST}Content-Length: ${BEHIND.length}\r\n\r\n`],
  'GET with a chunked body': [400, `GET /livez HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  'no Host': [400, 'GET /livez HTTP/1.1\r\n\r\n'],
  'two Hosts': [400, `GET /livez HTTP/1.1\r\n${HOST}Host: other.test\r\n\r\n`],
  'two equal Hosts': [400, `GET /livez HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  'empty Host': [400, 'GET /livez HTTP/1.1\r\nHost:\r\n\r\n'],
  'Host with a path': [400, 'GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  'Host with user': [400, 'GET /livez HTTP/1.1\r\nHost: a@b\r\n\r\n'],
  'Host with a bad port': [400, 'GET /livez HTTP/1.1\r\nHost: a:b\r\n\r\n'],
  'two words in Host': [400, 'GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n'],
  'no version': [400, `GET /livez\r\n${HOST}\r\n`],
  'HTTP/0.9': [400, 'GET /livez\r\n\r\n'],
  'HTTP/2.0': [400, `GET /livez HTTP/2.0\r\n${HOST}\r\n`],
  'HTTP/1.2': [400, `GET /livez HTTP/1.2\r\n${HOST}\r\n`],
  'HTTP/9.9': [400, `GET /livez HTTP/9.9\r\n${HOST}\r\n`],
  'HTTP/1.10': [400, `GET /livez HTTP/1.10\r\n${HOST}\r\n`],
  'lower-case http': [400, `GET /livez http/1.1\r\n${HOST}\r\n`],
  'preface of HTTP/2': [405, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  'bare LF': [400, 'GET /livez HTTP/1.1\nHost: a\n\n'],
  'bare LF after one header': [400, 'GET /livez HTTP/1.1\r\nHost: a\nX: b\r\n\r\n'],
  'bare CR in a value': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
  'bare CR as line end': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\rTransfer-Encoding: chunked\r\n\r\n`],
  'CR CR LF': [400, `GET /livez HTTP/1.1\r\r\n${HOST}\r\n`],
  'NUL in a value': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
  'control character in a value': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\x01b\r\n\r\n`],
  'DEL in a value': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\x7fb\r\n\r\n`],
  'non-ASCII value': [400, `GET /livez HTTP/1.1\r\n${HOST}X: \xfc\r\n\r\n`],
  'non-ASCII name': [400, `GET /livez HTTP/1.1\r\n${HOST}X\xfc: a\r\n\r\n`],
  'name with a space': [400, `GET /livez HTTP/1.1\r\n${HOST}X Y: a\r\n\r\n`],
  'name with a bracket': [400, `GET /livez HTTP/1.1\r\n${HOST}X(Y): a\r\n\r\n`],
  'empty name': [400, `GET /livez HTTP/1.1\r\n${HOST}: a\r\n\r\n`],
  'no colon': [400, `GET /livez HTTP/1.1\r\n${HOST}X\r\n\r\n`],
  'folded header': [400, `GET /livez HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
  'folded first header': [400, `GET /livez HTTP/1.1\r\n ${HOST}\r\n`],
  'absolute target': [400, `GET http://other.test/livez HTTP/1.1\r\n${HOST}\r\n`],
  'asterisk target': [400, `GET * HTTP/1.1\r\n${HOST}\r\n`],
  'authority target': [400, `GET other.test:80 HTTP/1.1\r\n${HOST}\r\n`],
  'fragment in the target': [400, `GET /livez#x HTTP/1.1\r\n${HOST}\r\n`],
  'bad escape in the target': [400, `GET /livez%zz HTTP/1.1\r\n${HOST}\r\n`],
  'NUL escape in the target': [400, `GET /livez%00 HTTP/1.1\r\n${HOST}\r\n`],
  'backslash in the target': [400, `GET /a\\b HTTP/1.1\r\n${HOST}\r\n`],
  'non-ASCII target': [400, `GET /\xfc HTTP/1.1\r\n${HOST}\r\n`],
  'space in the target': [400, `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
  'two spaces': [400, `GET  /livez HTTP/1.1\r\n${HOST}\r\n`],
  'tab for space': [400, `GET\t/livez HTTP/1.1\r\n${HOST}\r\n`],
  'space at the end': [400, `GET /livez HTTP/1.1 \r\n${HOST}\r\n`],
  'space at the beginning': [400, ` GET /livez HTTP/1.1\r\n${HOST}\r\n`],
  'two empty lines before': [400, `\r\n\r\nGET /livez HTTP/1.1\r\n${HOST}\r\n`],
  'CONNECT': [405, `CONNECT /livez HTTP/1.1\r\n${HOST}\r\n`],
  'TRACE': [405, `TRACE /livez HTTP/1.1\r\n${HOST}\r\n`],
  'lower-case method': [405, `get /livez HTTP/1.1\r\n${HOST}\r\n`],
  'unknown method': [405, `BREW /livez HTTP/1.1\r\n${HOST}\r\n`],
  'Expect': [417, `POST /test/echo HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 4\r\n\r\nabcd`],
  'two Authorizations': [400, `GET /livez HTTP/1.1\r\n${HOST}Authorization: a\r\nAuthorization: b\r\n\r\n`],
  'two Origins': [400, `GET /livez HTTP/1.1\r\n${HOST}Origin: http://a\r\nOrigin: http://b\r\n\r\n`],
  'two Content-Types': [400, `POST /test/echo HTTP/1.1\r\n${HOST}Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n`],
  'too many headers': [431, `GET /livez HTTP/1.1\r\n${HOST}${'X: a\r\n'.repeat(80)}\r\n`],
  'large head': [431, `GET /livez HTTP/1.1\r\n${HOST}X: ${'a'.repeat(9000)}\r\n\r\n`],
  'long target': [431, `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`],
  'endless header': [431, `GET /livez HTTP/1.1\r\n${HOST}X: ${'a'.repeat(80000)}`],
  'TLS to a plain port, or noise': [400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
};

for (const gateway of gateways) {
  for (const [what, [status, bytes]] of Object.entries(REFUSED)) {
    test(`${gateway.scheme}: ${what}`, async () => {
      const got = await gateway.exchange(bytes + BEHIND);
      assert.equal(got.answers.length, 1, `one answer: ${got.text}`);
      const [answer] = got.answers;
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(answer.headers.connection, 'close');
      if (!bytes.startsWith('HEAD')) {
        const problem = JSON.parse(answer.body);
        assert.equal(problem.status, status);
        assert.ok(problem.detail.length > 0);
        assert.equal(problem.request_id, answer.headers['request-id']);
      }
      assert.ok(got.isClosed);
    });
  }

  test(`${gateway.scheme}: a refusal on a kept connection too`, async () => {
    const good = `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nok`;
    for (const bad of ['no Host', 'chunked body', 'GET with a body', 'bare CR in a value', 'folded header']) {
      const got = await gateway.exchange(good + good + REFUSED[bad][1] + BEHIND);
      assert.deepEqual(got.answers.map((a) => a.status), [200, 200, 400], bad);
      assert.ok(got.isClosed, bad);
    }
  });

  test(`${gateway.scheme}: a body is never read as a request`, async () => {
    const inner = `GET /test/marker HTTP/1.1\r\n${HOST}\r\n`;
    const outer = `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: ${inner.length}\r\nConnection: close\r\n\r\n${inner}`;
    const got = await gateway.exchange(outer);
    assert.deepEqual(got.answers.map((a) => [a.status, a.body]), [[200, inner]]);
  });

  test(`${gateway.scheme}: pipelined requests are answered in order, byte by byte too`, async () => {
    const texts = ['one', 'two', '', 'four'];
    const requests = texts.map((text) => `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: ${text.length}\r\n\r\n${text}`);
    const last = `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 3\r\nConnection: close\r\n\r\nend`;
    for (const pieces of [[requests.join('') + last], [...(requests.join('') + last)]]) {
      const got = await gateway.exchange(...pieces);
      assert.deepEqual(got.answers.map((a) => a.body), [...texts, 'end']);
    }
  });

  test(`${gateway.scheme}: HTTP/1.0 is answered and closed, without Host too`, async () => {
    for (const host of [HOST, '']) {
      const got = await gateway.exchange(`POST /test/echo HTTP/1.0\r\n${host}Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok${BEHIND}`);
      assert.deepEqual(got.answers.map((a) => [a.status, a.body, a.headers.connection]), [[200, 'ok', 'close']]);
      assert.ok(got.isClosed);
    }
  });

  test(`${gateway.scheme}: good requests that look odd`, async () => {
    const ODD = [
      `\r\nPOST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\n`, // RFC 9112 section 2.2
      'POST /test/echo HTTP/1.1\r\nhOsT:gateway.test:8080\r\nCONTENT-length: 2\r\n',
      'POST /test/echo HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length:\t2 \t\r\n',
      `POST /test/echo?a=b&c=%20+d HTTP/1.1\r\n${HOST}Content-Length: 002\r\nX:\r\n`,
      `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\nX-A: b\r\nX-A: c\r\nAccept: a/b\r\nAccept: c/d\r\n`,
      `POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\nUpgrade: h2c\r\n`,
    ];
    for (const head of ODD) {
      const got = await gateway.exchange(`${head}Connection: close\r\n\r\nok`);
      assert.deepEqual(got.answers.map((a) => [a.status, a.body]), [[200, 'ok']], head);
    }
  });

  test(`${gateway.scheme}: a client that closes its half still gets its answer`, async () => {
    const got = await gateway.exchange(`POST /test/echo HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nok`, null);
    assert.deepEqual(got.answers.map((a) => a.body), ['ok']);
    assert.ok(got.isClosed);
  });
}
