// Cuts a stream of bytes into the messages of a WebSocket: [header, payload] each, as they came.
export class FrameCutter {
  #rest = Buffer.alloc(0);

  cut(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next() {
    const bytes = this.#rest;
    if (bytes.length < 2) return null;
    const isMasked = (bytes[1] & 0x80) !== 0;
    let size = bytes[1] & 0x7f;
    let at = 2;
    if (size === 126) {
      if (bytes.length < 4) return null;
      size = bytes.readUInt16BE(2);
      at = 4;
    } else if (size === 127) {
      if (bytes.length < 10) return null;
      size = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const mask = isMasked ? bytes.subarray(at, at + 4) : null;
    if (isMasked) at += 4;
    if (bytes.length < at + size) return null;
    this.#rest = bytes.subarray(at + size);
    const payload = Buffer.from(bytes.subarray(at, at + size));
    if (mask) for (let i = 0; i < payload.length; i += 1) payload[i] ^= mask[i & 3];
    return { raw: bytes.subarray(0, at + size), text: (bytes[0] & 15) === 1 ? payload.toString('utf8') : '' };
  }
}
