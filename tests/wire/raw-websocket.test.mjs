// RFC 6455 and RFC 7692 over bare sockets, against the echo subprotocol: every frame is made by
// hand, so that wrong ones can be made too. Plain and TLS.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { openGateways } from '../support/raw.mjs';

const gateways = openGateways({ env: { HOLDLINE_TEST_MODE: 'true', HOLDLINE_REQUESTS_PER_ADDRESS_PER_S: '0' } });
const CONTINUE = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const RSV1 = 4;
const NONE = Buffer.alloc(0);

// One frame as a client sends it. Everything about it may be wrong.
function frame(opcode, payload = NONE, { fin = true, rsv = 0, mask = randomBytes(4), width, length } = {}) {
  const data = Buffer.from(payload);
  const size = BigInt(length ?? data.length);
  const shape = width ?? (size < 126n ? 7 : size < 65536n ? 16 : 64);
  const masked = mask ? 0x80 : 0;
  const head = [Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode, masked | (shape === 7 ? Number(size) : shape === 16 ? 126 : 127)])];
  if (shape === 16) head.push(Buffer.from([Number(size >> 8n), Number(size & 255n)]));
  if (shape === 64) {
    const wide = Buffer.alloc(8);
    wide.writeBigUInt64BE(size);
    head.push(wide);
  }
  if (mask) head.push(mask, data.map((byte, i) => byte ^ mask[i % 4]));
  else head.push(data);
  return Buffer.concat(head);
}

const closing = (code, reason = '') => {
  const two = Buffer.alloc(2);
  two.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([two, Buffer.from(reason)]));
};

const packed = (data) => deflateRawSync(data, { finishFlush: 2 /* Z_SYNC_FLUSH */ }).subarray(0, -4);
const packedFrame = (data, more = {}) => frame(TEXT, packed(Buffer.from(data)), { rsv: RSV1, ...more });

// The frames of a server in `bytes`, and the head of the answer before them.
function readFrames(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  const frames = [];
  for (let at = end + 4; at < bytes.length; ) {
    const [first, second] = bytes.subarray(at, at + 2);
    assert.equal(second & 0x80, 0, 'a server does not mask');
    let size = second & 0x7f;
    at += 2;
    if (size === 126) {
      size = bytes.readUInt16BE(at);
      assert.ok(size > 125, 'the shortest form of the length');
      at += 2;
    } else if (size === 127) {
      size = Number(bytes.readBigUInt64BE(at));
      assert.ok(size > 65535, 'the shortest form of the length');
      at += 8;
    }
    assert.ok(at + size <= bytes.length, 'a whole frame');
    frames.push({ fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 15, payload: bytes.subarray(at, at + size) });
    at += size;
  }
  return { head: bytes.toString('latin1', 0, end), frames };
}

// What a test looks at: messages as strings (text) or buffers (binary), pongs, the close code.
function summarize({ head, frames }) {
  const got = { head, messages: [], pongs: [], close: undefined, isPacked: false };
  let parts = null;
  for (const { fin, rsv, opcode, payload } of frames) {
    if (got.close !== undefined) { // RFC 6455 section 5.5.1: no data; a second close does no harm
      assert.equal(opcode, CLOSE, 'no data comes after a close frame');
      break;
    }
    if (opcode >= CLOSE) assert.ok(fin && rsv === 0 && payload.length <= 125, 'a good control frame');
    if (opcode === PONG) got.pongs.push(String(payload));
    if (opcode === CLOSE) {
      got.close = payload.length === 0 ? null : payload.readUInt16BE(0);
      assert.notEqual(payload.length, 1);
    }
    if (opcode === TEXT || opcode === BINARY) {
      assert.equal(parts, null, 'a new message begins after the old one ended');
      parts = { opcode, isPacked: rsv === RSV1, data: [] };
      assert.equal(rsv & ~RSV1, 0);
      got.isPacked ||= parts.isPacked;
    }
    if (opcode <= BINARY) parts.data.push(payload);
    if (opcode <= BINARY && fin) {
      const raw = Buffer.concat(parts.data);
      const data = parts.isPacked ? inflateRawSync(Buffer.concat([raw, Buffer.from([0, 0, 255, 255])]), { finishFlush: 2 }) : raw;
      got.messages.push(parts.opcode === TEXT ? String(data) : data);
      parts = null;
    }
  }
  return got;
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const handshake = (more = '', { key = `Sec-WebSocket-Key: ${KEY}\r\n`, version = 'Sec-WebSocket-Version: 13\r\n',
  protocol = 'Sec-WebSocket-Protocol: holdline.echo\r\n', upgrade = 'Upgrade: websocket\r\n', connection = 'Connection: Upgrade\r\n' } = {}) =>
  `GET /v1/ws HTTP/1.1\r\nHost: gateway.test\r\n${upgrade}${connection}${version}${key}${protocol}${more}\r\n`;
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';

function framesSoFar(chunks) {
  try {
    return readFrames(Buffer.concat(chunks)).frames;
  } catch {
    return []; // the last one is not whole yet
  }
}

const hasClose = (chunks) => framesSoFar(chunks).some(({ opcode }) => opcode === CLOSE);

// Shakes hands, writes the pieces one by one, reads until the gateway says close, closes its own
// half then and reads to the end. A number: waits until so many frames came.
async function talk(gateway, pieces, { offer = '', ...parts } = {}) {
  const socket = await gateway.open();
  try {
    await socket.write(handshake(offer, parts));
    await socket.until((text) => text.includes('\r\n\r\n'));
    for (const piece of pieces) {
      if (typeof piece === 'number') await socket.until(() => framesSoFar(socket.chunks).length >= piece);
      else await socket.write(piece);
    }
    await socket.until(() => socket.isClosed || hasClose(socket.chunks)).catch(() => {});
    socket.socket.end();
    await socket.closed;
    return summarize(readFrames(Buffer.concat(socket.chunks)));
  } finally {
    socket.destroy();
  }
}

const END = closing(1000);
const text = (string, more) => frame(TEXT, string, more);
const bytewise = (buffer) => [...buffer].map((byte) => Buffer.from([byte]));
const KOSME = 'κόσμε';
const LONG = 'a*'.repeat(40000);

// name: [what is sent, messages that come back, pongs, close code]
const GOOD = {
  'empty text': [[text('')], ['']],
  '125 bytes': [[text('x'.repeat(125))], ['x'.repeat(125)]],
  '126 bytes': [[text('x'.repeat(126))], ['x'.repeat(126)]],
  '127 bytes': [[text('x'.repeat(127))], ['x'.repeat(127)]],
  '65535 bytes': [[text('x'.repeat(65535))], ['x'.repeat(65535)]],
  '65536 bytes': [[text('x'.repeat(65536))], ['x'.repeat(65536)]],
  'text byte by byte': [bytewise(text('one by one')), ['one by one']],
  'empty binary': [[frame(BINARY)], [NONE]],
  'binary of all bytes': [[frame(BINARY, Buffer.from([...Array(256).keys()]))], [Buffer.from([...Array(256).keys()])]],
  'a mask of zeros': [[text('plain', { mask: Buffer.alloc(4) })], ['plain']],
  'many messages in one segment': [[Buffer.concat(Array(50).fill(text('again')))], Array(50).fill('again')],
  'empty ping': [[frame(PING), 1], [], ['']],
  'ping of 125 bytes': [[frame(PING, 'p'.repeat(125)), 1], [], ['p'.repeat(125)]],
  'ping byte by byte': [[...bytewise(frame(PING, 'slow')), 1], [], ['slow']],
  'ten pings': [Array.from({ length: 10 }, (_, i) => [frame(PING, `${i}`), i + 1]).flat(), [], [...'0123456789']],
  'a pong nobody asked for': [[frame(PONG, 'unasked'), text('after')], ['after']],
  'two fragments': [[text('frag', { fin: false }), frame(CONTINUE, 'ment')], ['fragment']],
  'empty fragments': [[text('', { fin: false }), frame(CONTINUE, '', { fin: false }), frame(CONTINUE)], ['']],
  'empty fragments around': [[text('', { fin: false }), frame(CONTINUE, 'in', { fin: false }), frame(CONTINUE)], ['in']],
  'fragments in one segment': [[Buffer.concat([text('a', { fin: false }), frame(CONTINUE, 'b', { fin: false }), frame(CONTINUE, 'c')])], ['abc']],
  'ping between fragments': [[text('frag', { fin: false }), frame(PING, 'now'), 1, frame(CONTINUE, 'ment')], ['fragment'], ['now']],
  'pong between fragments': [[text('frag', { fin: false }), frame(PONG), frame(CONTINUE, 'ment')], ['fragment']],
  'binary in fragments': [[frame(BINARY, [1], { fin: false }), frame(CONTINUE, [2])], [Buffer.from([1, 2])]],
  'a message of 256 fragments': [
    [Buffer.concat([...Array.from({ length: 255 }, (_, i) => frame(i ? CONTINUE : TEXT, 'z', { fin: false })), frame(CONTINUE, 'z')])], ['z'.repeat(256)]],
  'a character cut by a fragment': [
    [text(Buffer.from(KOSME).subarray(0, 3), { fin: false }), frame(CONTINUE, Buffer.from(KOSME).subarray(3))], [KOSME]],
  'each byte of UTF-8 a fragment': [
    [...Buffer.from(KOSME)].map((byte, i, all) => frame(i ? CONTINUE : TEXT, [byte], { fin: i === all.length - 1 })), [KOSME]],
  'the ends of UTF-8': [[text('\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}')],
    ['\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}']],
  'binary that is no UTF-8': [[frame(BINARY, [0xff, 0xc0])], [Buffer.from([0xff, 0xc0])]],
};

const BAD_UTF8 = {
  'a lone continuation byte': [0x80],
  'a character cut off': [0xce],
  'an overlong slash': [0xc0, 0xaf],
  'an overlong NUL': [0xe0, 0x80, 0x80],
  'a surrogate': [0xed, 0xa0, 0x80],
  'beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'byte FF': [0x61, 0xff],
  'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
};

const GONE = [1002, 1009, undefined]; // the library may end the connection without a close frame
const BAD = {
  'RSV1 without an extension': [[text('x', { rsv: 4 })], 1002],
  RSV2: [[text('x', { rsv: 2 })], 1002],
  RSV3: [[text('x', { rsv: 1 })], 1002],
  'all RSV bits': [[text('x', { rsv: 7 })], 1002],
  'RSV in a ping': [[frame(PING, 'x', { rsv: 2 })], 1002],
  'RSV in a close': [[frame(CLOSE, '', { rsv: 2 })], 1002],
  'RSV in a continuation': [[text('x', { fin: false }), frame(CONTINUE, 'y', { rsv: 2 })], 1002],
  ...Object.fromEntries([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [[frame(opcode, 'x')], 1002]])),
  'a ping of 126 bytes': [[frame(PING, 'p'.repeat(126))], GONE],
  'a pong of 126 bytes': [[frame(PONG, 'p'.repeat(126))], GONE],
  'a fragmented ping': [[frame(PING, 'x', { fin: false }), frame(CONTINUE, 'y')], 1002],
  'a fragmented pong': [[frame(PONG, 'x', { fin: false })], 1002],
  'a fragmented close': [[frame(CLOSE, [3, 232], { fin: false })], 1002],
  'a continuation of nothing': [[frame(CONTINUE, 'x')], 1002],
  'a continuation after the end': [[text('a', { fin: false }), frame(CONTINUE, 'b'), frame(CONTINUE, 'c')], 1002],
  'text inside a message': [[text('a', { fin: false }), text('b')], 1002],
  'binary inside a message': [[text('a', { fin: false }), frame(BINARY, 'b')], 1002],
  'a length of 2^63': [[text('', { width: 64, length: 2n ** 63n })], GONE],
  'a length of 2^62': [[text('', { width: 64, length: 2n ** 62n }), randomBytes(1 << 16)], 1009],
  'a message of fragments without end': [[text('x', { fin: false }), ...Array(22).fill(frame(CONTINUE, 'x'.repeat(1 << 20), { fin: false }))], 1009],
  'a close of one byte': [[frame(CLOSE, [3])], 1002],
  'a close of 126 bytes': [[closing(1000, 'r'.repeat(124))], GONE],
  'a close whose reason is no UTF-8': [[frame(CLOSE, [3, 232, 0xce])], [1002, 1007]],
  ...Object.fromEntries([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => [`close code ${code}`, [[closing(code)], 1002]])),
  ...Object.fromEntries(Object.entries(BAD_UTF8).map(([what, bytes]) => [`UTF-8: ${what}`, [[text(Buffer.from(bytes))], 1007]])),
  'UTF-8 broken by a fragment': [[text([0xce], { fin: false }), frame(CONTINUE, 'x')], 1007],
};

const CLOSES = {
  'a close without code': [[frame(CLOSE)], [null, 1000]],
  'a close with a reason': [[closing(1000, 'thanks')], 1000],
  'a close with the longest reason': [[closing(1000, 'r'.repeat(123))], 1000],
  ...Object.fromEntries([1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) => [`close code ${code}`, [[closing(code)], code]])),
  'two closes': [[Buffer.concat([closing(1000), closing(1001)])], 1000],
  'a ping after the close': [[Buffer.concat([closing(1000), frame(PING, 'late')])], 1000],
  'a message after the close': [[Buffer.concat([closing(1000), text('late')])], 1000],
  'a close between fragments': [[text('never whole', { fin: false }), closing(1000)], 1000],
};

const among = (wanted, code) => assert.ok([wanted].flat().includes(code), `close code ${code}, wanted ${wanted}`);

for (const gateway of gateways) {
  const { scheme } = gateway;

  for (const [what, [pieces, messages, pongs = []]] of Object.entries(GOOD)) {
    test(`${scheme}: ${what}`, async () => {
      const got = await talk(gateway, [...pieces, END]);
      assert.deepEqual([got.messages, got.pongs, got.close], [messages, pongs, 1000]);
    });
  }

  for (const [what, [pieces, code]] of Object.entries(BAD)) {
    test(`${scheme}: refused: ${what}`, async () => {
      const got = await talk(gateway, [text('before'), ...pieces, text('behind')]);
      among(code, got.close);
      assert.deepEqual(got.messages.filter((m) => m !== 'before' && m !== 'ab'), []);
    });
  }

  for (const [what, [pieces, code]] of Object.entries(CLOSES)) {
    test(`${scheme}: ${what} is answered`, async () => {
      const got = await talk(gateway, pieces);
      among(code, got.close);
      assert.deepEqual([got.messages, got.pongs], [[], []]);
    });
  }

  test(`${scheme}: the handshake's answer`, async () => {
    const { head } = await talk(gateway, [END]);
    const accept = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    assert.match(head, /^HTTP\/1\.1 101 /);
    const headers = new Map(head.split('\r\n').slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    assert.equal(headers.get('sec-websocket-accept'), accept);
    assert.equal(headers.get('sec-websocket-protocol'), 'holdline.echo');
    assert.equal(headers.get('sec-websocket-extensions'), undefined);
    assert.equal(headers.get('upgrade').toLowerCase(), 'websocket');
    assert.equal(headers.get('connection').toLowerCase(), 'upgrade');
  });

  const HANDSHAKES = {
    'no key': { key: '' },
    'an empty key': { key: 'Sec-WebSocket-Key:\r\n' },
    'a short key': { key: 'Sec-WebSocket-Key: YWJj\r\n' },
    'a key that is no base64': { key: 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n' },
    'two keys': { key: `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Key: ${KEY}\r\n` },
    'no version': { version: '' },
    'version 8': { version: 'Sec-WebSocket-Version: 8\r\n' },
    'version 113': { version: 'Sec-WebSocket-Version: 113\r\n' },
    'no subprotocol': { protocol: '' },
    'an unknown subprotocol': { protocol: 'Sec-WebSocket-Protocol: chat\r\n' },
    'another upgrade': { upgrade: 'Upgrade: h2c\r\n' },
    'no upgrade': { upgrade: '' },
    'no Connection: Upgrade': { connection: 'Connection: keep-alive\r\n' },
  };
  for (const [what, parts] of Object.entries(HANDSHAKES)) {
    test(`${scheme}: handshake with ${what}`, async () => {
      const got = await gateway.exchange(handshake('Connection: close\r\n', { ...parts, connection: parts.connection ?? 'Connection: Upgrade\r\n' }));
      assert.equal(got.answers.length, 1);
      assert.equal(got.answers[0].status, 400, got.text);
      assert.equal(JSON.parse(got.answers[0].body).code, 'bad_request');
      if (what.startsWith('version')) assert.equal(got.answers[0].headers['sec-websocket-version'], '13');
    });
  }

  test(`${scheme}: frames that do not wait for the handshake's answer are refused`, async () => {
    const got = await gateway.exchange(Buffer.concat([Buffer.from(handshake()), text('early')]));
    assert.deepEqual(got.answers.map((a) => a.status), [400]);
  });

  test(`${scheme}: odd but good handshakes`, async () => {
    for (const parts of [
      { upgrade: 'Upgrade: WebSocket\r\n', connection: 'Connection: keep-alive, UPGRADE\r\n' },
      { protocol: 'Sec-WebSocket-Protocol: chat, holdline.echo\r\n' },
      { protocol: 'Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: holdline.echo\r\n' },
    ]) {
      const got = await talk(gateway, [text('hi'), END], parts);
      assert.deepEqual([got.messages, got.close], [['hi'], 1000]);
      assert.match(got.head, /sec-websocket-protocol: holdline\.echo/i);
    }
  });

  // -- permessage-deflate --

  test(`${scheme}: offers of compression`, async () => {
    for (const [offer, isTaken] of [
      ['permessage-deflate', true],
      ['permessage-deflate; client_max_window_bits', true],
      ['permessage-deflate; server_no_context_takeover; client_no_context_takeover', true],
      ['x-unknown, permessage-deflate', true],
      ['permessage-deflate; unknown_parameter', false],
      ['permessage-deflate; server_max_window_bits=9', false],
      ['permessage-bzip2', false],
    ]) {
      const got = await talk(gateway, [text(LONG), END], { offer: `Sec-WebSocket-Extensions: ${offer}\r\n` });
      assert.deepEqual([got.messages, got.close], [[LONG], 1000], offer);
      assert.equal(/sec-websocket-extensions: permessage-deflate/i.test(got.head), isTaken, offer);
      assert.equal(got.isPacked, isTaken, offer);
    }
  });

  const PACKED = {
    'a compressed message': [[packedFrame('Hello')], ['Hello']],
    'a compressed empty message': [[packedFrame('')], ['']],
    'an empty message of one byte': [[frame(TEXT, [0], { rsv: RSV1 })], ['']],
    'a long message': [[packedFrame(LONG)], [LONG]],
    'a final block': [[frame(TEXT, [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], { rsv: RSV1 })], ['Hello']],
    'stored blocks': [[frame(TEXT, deflateRawSync('Hello', { level: 0, finishFlush: 2 }).subarray(0, -4), { rsv: RSV1 })], ['Hello']],
    'compressed in fragments': [
      [frame(TEXT, packed(LONG).subarray(0, 5), { rsv: RSV1, fin: false }),
        frame(PING, 'p'), frame(CONTINUE, packed(LONG).subarray(5))], [LONG]],
    'compressed and plain by turns': [[packedFrame('a'), text('b'), packedFrame('c')], ['a', 'b', 'c']],
    'no context over messages': [[packedFrame(KOSME), packedFrame(KOSME)], [KOSME, KOSME]],
  };
  for (const [what, [pieces, messages]] of Object.entries(PACKED)) {
    test(`${scheme}: ${what}`, async () => {
      const got = await talk(gateway, [...pieces, END], { offer: DEFLATE });
      assert.deepEqual([got.messages, got.close], [messages, 1000]);
    });
  }

  const BAD_PACKED = {
    'a stream that is no deflate': [[frame(TEXT, [0xff, 0xff, 0xff, 0xff], { rsv: RSV1 })], 1007],
    'bytes behind the final block': [[frame(TEXT, Buffer.concat([deflateRawSync('Hi'), Buffer.from('tail')]), { rsv: RSV1 })], 1007],
    'RSV1 in a continuation': [[text('a', { fin: false }), frame(CONTINUE, 'b', { rsv: RSV1 })], 1002],
    'RSV2 beside RSV1': [[packedFrame('x', { rsv: 6 })], 1002],
    'compressed text that is no UTF-8': [[packedFrame(Buffer.from([0xc0, 0xaf]))], 1007],
    'a bomb': [[packedFrame(Buffer.alloc(64 << 20))], 1009],
    'a bomb in fragments': [
      [frame(TEXT, packed(Buffer.alloc(64 << 20)).subarray(0, 1000), { rsv: RSV1, fin: false }),
        frame(CONTINUE, packed(Buffer.alloc(64 << 20)).subarray(1000))], 1009],
  };
  for (const [what, [pieces, code]] of Object.entries(BAD_PACKED)) {
    test(`${scheme}: refused: ${what}`, async () => {
      const got = await talk(gateway, [...pieces, text('behind')], { offer: DEFLATE });
      among(code, got.close);
      assert.deepEqual(got.messages, []);
    });
  }

  test(`${scheme}: it still serves`, async () => {
    assert.deepEqual((await talk(gateway, [text('well'), END])).messages, ['well']);
  });
}
