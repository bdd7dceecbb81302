/**
 * A lean HTTP/2 client over a bare socket: it writes frames that were encoded beforehand and reads just enough of the
 * answer. node:http2 costs as much a request as the server that is to be measured, and two cores are few.
 *
 * It trusts the server: no header validation, and only the first `:status` is decoded.
 */
import net from 'node:net';

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const MAX_WINDOW = 2 ** 31 - 1;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type, flags, streamId, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

const settings = (pairs) => {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(SETTINGS, 0, 0, payload);
};

const uint32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const literal = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);

/**
 * An HPACK block of literals without indexing, so that the same bytes serve every request of every connection.
 * @param {[string, string][]} fields names in lower case, each part below 127 bytes
 */
export function headerBlock(fields) {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), literal(name), longLiteral(value)])),
  );
}

function longLiteral(text) {
  if (text.length < 127) return literal(text);
  const length = [0x7f];
  let rest = text.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')]);
}

/** The fields Envoy sends with a Check call. */
export const checkFields = (path, { authority = 'portcullis', timeoutMs = 200 } = {}) => [
  [':method', 'POST'],
  [':path', path],
  [':authority', authority],
  [':scheme', 'http'],
  ['te', 'trailers'],
  ...(timeoutMs ? [['grpc-timeout', `${timeoutMs}m`]] : []),
  ['content-type', 'application/grpc'],
  ['x-envoy-internal', 'true'],
  ['x-forwarded-for', '10.0.0.5'],
];

/** One connection. Streams run side by side up to what the server allows; what does not fit waits in order. */
export class Http2Connection {
  #socket;
  #rest = Buffer.alloc(0);
  #nextId = 1;
  #streams = new Map();
  #waiting = [];
  #window = 65_535;
  #consumed = 0;
  #maxStreams = Infinity;
  #goneAway = false;
  /** Streams that ended without an answer: reset, refused, connection lost. */
  failed = 0;

  /** @param {string | number} target a port on 127.0.0.1, or the path of a unix socket */
  static connect(target) {
    return new Promise((resolve, reject) => {
      const socket = typeof target === 'number' ? net.connect(target, '127.0.0.1') : net.connect(target);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Http2Connection(socket));
      });
    });
  }

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // Table size 0: the server may not index, so no block depends on another. No push. The widest window.
    const hello = settings([
      [1, 0],
      [2, 0],
      [4, MAX_WINDOW],
    ]);
    socket.write(Buffer.concat([preface, hello, frame(WINDOW_UPDATE, 0, 0, uint32(MAX_WINDOW - 65_535))]));
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => this.#lost());
    socket.on('close', () => this.#lost());
  }

  get usable() {
    return !this.#goneAway && !this.#socket.destroyed;
  }

  /** Writes made between these two leave in one system call. */
  cork() {
    this.#socket.cork();
  }

  uncork() {
    this.#socket.uncork();
  }

  /**
   * Sends one request.
   * @param {Buffer} block of `headerBlock`
   * @param {Buffer | undefined} body one DATA frame, at most 16 KiB
   * @param {(answer: { status: number, body: Buffer | undefined } | undefined) => void} done undefined: no answer came
   */
  request(block, body, done) {
    if (!this.usable) {
      this.failed++;
      done(undefined);
    } else if (this.#waiting.length > 0 || !this.#fits(body)) this.#waiting.push([block, body, done]);
    else this.#send(block, body, done);
  }

  close() {
    this.#socket.destroy();
  }

  #fits(body) {
    return this.#streams.size < this.#maxStreams && (body?.length ?? 0) <= this.#window;
  }

  #send(block, body, done) {
    const id = this.#nextId;
    this.#nextId += 2;
    const length = body?.length ?? 0;
    this.#window -= length;
    this.#streams.set(id, { done, status: 0, body: undefined });
    const out = Buffer.allocUnsafe(9 + block.length + (body ? 9 + length : 0));
    writeHead(out, 0, block.length, HEADERS, END_HEADERS | (body ? 0 : END_STREAM), id);
    block.copy(out, 9);
    if (body) {
      writeHead(out, 9 + block.length, length, DATA, END_STREAM, id);
      body.copy(out, 18 + block.length);
    }
    this.#socket.write(out);
  }

  #read(chunk) {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    this.#socket.cork();
    while (data.length - at >= 9) {
      const length = data.readUIntBE(at, 3);
      if (data.length - at < 9 + length) break;
      this.#frame(
        data[at + 3],
        data[at + 4],
        data.readUInt32BE(at + 5),
        data.subarray(at + 9, at + 9 + length),
      );
      at += 9 + length;
    }
    this.#rest = data.subarray(at);
    this.#drain();
    this.#socket.uncork();
  }

  #frame(type, flags, streamId, payload) {
    if (type === DATA) this.#data(flags, streamId, payload);
    else if (type === HEADERS) this.#headers(flags, streamId, payload);
    else if (type === WINDOW_UPDATE && streamId === 0) this.#window += payload.readUInt32BE(0);
    else if (type === RST_STREAM) this.#finish(streamId, true);
    else if (type === SETTINGS && !(flags & ACK)) this.#settings(payload);
    else if (type === PING && !(flags & ACK)) this.#socket.write(frame(PING, ACK, 0, payload));
    else if (type === GOAWAY) this.#goneAway = true;
  }

  #data(flags, streamId, payload) {
    const stream = this.#streams.get(streamId);
    if (stream) stream.body = stream.body ? Buffer.concat([stream.body, payload]) : payload;
    this.#consumed += payload.length;
    if (this.#consumed > 2 ** 30) {
      this.#socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(this.#consumed)));
      this.#consumed = 0;
    }
    if (flags & END_STREAM) this.#finish(streamId, false);
  }

  #headers(flags, streamId, payload) {
    const stream = this.#streams.get(streamId);
    if (stream?.status === 0) stream.status = statusOf(payload);
    if (flags & END_STREAM) this.#finish(streamId, false);
  }

  #settings(payload) {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) === 3) this.#maxStreams = payload.readUInt32BE(at + 2);
    }
    this.#socket.write(frame(SETTINGS, ACK, 0));
  }

  #finish(streamId, reset) {
    const stream = this.#streams.get(streamId);
    if (!stream) return;
    this.#streams.delete(streamId);
    if (reset) this.failed++;
    stream.done(reset ? undefined : stream);
  }

  #drain() {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0][1])) this.#send(...this.#waiting.shift());
  }

  #lost() {
    const open = [...this.#streams.values()]
      .map((stream) => stream.done)
      .concat(this.#waiting.map(([, , done]) => done));
    this.#streams.clear();
    this.#waiting = [];
    this.failed += open.length;
    for (const done of open) done(undefined);
  }
}

function writeHead(out, at, length, type, flags, streamId) {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(streamId, at + 5);
}

const staticStatus = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 };

/** `:status` comes first in a block: an entry of the static table, or a literal of three digits. */
function statusOf(block) {
  let at = 0;
  while ((block[at] & 0xe0) === 0x20) at++;
  if (staticStatus[block[at]]) return staticStatus[block[at]];
  const huffman = (block[at + 1] & 0x80) !== 0;
  const text = block.subarray(at + 2, at + 2 + (block[at + 1] & 0x7f));
  return Number(huffman ? huffmanDigits(text) : text.toString('latin1'));
}

/** RFC 7541, appendix B: 0, 1, 2 are five bits long, 3 to 9 are six. */
function huffmanDigits(bytes) {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let text = '';
  for (let at = 0; text.length < 3 && at + 5 <= bits.length;) {
    const five = parseInt(bits.slice(at, at + 5), 2);
    const short = five <= 2;
    text += short ? five : parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3;
    at += short ? 5 : 6;
  }
  return text;
}
