// @ts-check
/** Sequences of frames for fuzzing: mostly well-formed, so that they get past the first check, and then not. */

/** @typedef {ReturnType<typeof import('../../../support/seeded-random.mjs').seededRandom>} Random */

/**
 * @typedef {object} Wire what builds frames, given by the caller
 * @property {(type: number, flags: number, id: number, payload?: Uint8Array) => Buffer} frame
 * @property {(fields: readonly (readonly [string, string])[]) => Buffer} encodeFields
 * @property {readonly string[]} paths
 */

const NAMES = [
  'x-a',
  'te',
  'content-length',
  'grpc-timeout',
  'grpc-encoding',
  'content-type',
  ':path',
  'X-A',
  '',
];
const VALUES = [
  '',
  'trailers',
  '5',
  '10',
  '200m',
  '99999999H',
  'gzip',
  'identity',
  'application/grpc',
  ' a',
  'a\nb',
];
/** Kinds of frames, below, that are mostly well-formed. */
const TAME = [0, 1, 2, 3, 4, 5, 16, 18];
const NUMBERS = [0, 1, 2, 5, 16_383, 16_384, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/**
 * @param {Random} random
 * @param {Wire} wire
 * @returns {Buffer[]} chunks as a socket might deliver them; the preface is not among them
 */
export function randomChunks(random, wire) {
  const ids = { last: -1, isTame: random.below(2) === 0 };
  const frames = Array.from({ length: 1 + random.below(14) }, () => randomFrame(random, wire, ids));
  if (random.below(3) === 0) mutate(random, frames);
  return chunked(random, Buffer.concat(frames));
}

/**
 * @param {Random} random
 * @param {Wire} wire
 * @param {{ last: number, isTame: boolean }} ids the last stream that was opened; tame: nothing that ends a connection by itself
 * @returns {Buffer}
 */
function randomFrame(random, wire, ids) {
  const kind = ids.isTame ? random.pick(TAME) : random.below(20);
  // Calls open new streams, and most of what follows is about the last one.
  if (kind < 9) ids.last += 2;
  const id = !ids.isTame && random.below(25) === 0 ? random.below(40) : Math.max(ids.last, 1);
  if (kind < 6) return wholeCall(random, wire, id);
  if (kind < 8) return wire.frame(1, random.pick([4, 5, 0, 1]), id, fieldBlock(random, wire));
  if (kind < 11) return wire.frame(0, random.pick([0, 1]), id, body(random));
  if (kind === 11) return wire.frame(0, random.pick([8, 9]), id, random.octets(random.below(20)));
  if (kind === 12) return wire.frame(1, 4 + 32 + random.pick([0, 1, 8]), id, random.octets(random.below(12)));
  if (kind === 13) return wire.frame(3, 0, id, number(random));
  if (kind === 14) return wire.frame(8, 0, random.pick([0, id]), number(random));
  if (kind === 15) return wire.frame(4, random.pick([0, 0, 0, 1]), 0, settings(random));
  if (kind === 16) return wire.frame(6, random.below(2), 0, random.octets(8));
  if (kind === 17) return wire.frame(9, random.pick([0, 4]), id, fieldBlock(random, wire));
  if (kind === 18) return wire.frame(2, 0, id, random.octets(5));
  return wire.frame(
    random.below(14),
    random.below(256),
    random.pick([0, id]),
    random.octets(random.below(24)),
  );
}

/** @param {Random} random @param {Wire} wire @param {number} id */
function wholeCall(random, wire, id) {
  const block = wire.encodeFields(fields(random, wire));
  const message = body(random);
  const parts = [wire.frame(1, 4, id, block)];
  if (random.below(3) > 0) parts.push(wire.frame(0, 1, id, message));
  else {
    const at = random.below(message.length + 1);
    parts.push(wire.frame(0, 0, id, message.subarray(0, at)), wire.frame(0, 1, id, message.subarray(at)));
  }
  return Buffer.concat(parts);
}

/**
 * @param {Random} random
 * @param {Wire} wire
 * @returns {[string, string][]}
 */
function fields(random, wire) {
  /** @type {[string, string][]} */
  const list = [
    [':method', random.below(15) === 0 ? 'GET' : 'POST'],
    [':scheme', 'http'],
    [':path', random.pick(wire.paths)],
    [':authority', 'gate'],
    ['content-type', 'application/grpc'],
  ];
  while (random.below(4) === 0) list.push([random.pick(NAMES), random.pick(VALUES)]);
  if (random.below(20) === 0) list.splice(random.below(list.length), 1);
  return list;
}

/** @param {Random} random @param {Wire} wire */
function fieldBlock(random, wire) {
  const kind = random.below(4);
  if (kind === 0) return random.octets(random.below(30));
  // Literals that are added to the table, and references to them.
  if (kind === 1)
    return Buffer.concat([Buffer.from([0x40, 1, 0x78, 1, 0x61 + random.below(4)]), wire.encodeFields([])]);
  if (kind === 2)
    return Buffer.concat([wire.encodeFields(fields(random, wire)), Buffer.of(0xbe + random.below(3))]);
  return wire.encodeFields(fields(random, wire));
}

/** A message of gRPC, now and then with a wrong length. @param {Random} random */
function body(random) {
  const message = random.octets(random.below(random.pick([8, 64, 600])));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(random.below(12) === 0 ? random.pick(NUMBERS) : message.length, 1);
  if (random.below(30) === 0) prefix[0] = 1;
  return Buffer.concat([prefix, message]);
}

/** @param {Random} random */
function number(random) {
  const payload = Buffer.alloc(random.below(15) === 0 ? random.below(9) : 4);
  if (payload.length === 4) payload.writeUInt32BE(random.pick(NUMBERS));
  return payload;
}

/** @param {Random} random */
function settings(random) {
  const payload = Buffer.alloc(6 * random.below(4) + (random.below(15) === 0 ? 1 : 0));
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    payload.writeUInt16BE(1 + random.below(7), at);
    payload.writeUInt32BE(random.pick(NUMBERS), at + 2);
  }
  return payload;
}

/**
 * @param {Random} random
 * @param {Buffer[]} frames
 */
function mutate(random, frames) {
  const at = random.below(frames.length);
  const frame = Buffer.from(frames[at] ?? Buffer.alloc(0));
  const change = random.below(5);
  if (change === 0) frames.splice(at, 1);
  else if (change === 1) frames.splice(random.below(frames.length), 0, frame);
  else if (change === 2) frames[at] = frame.subarray(0, random.below(frame.length + 1));
  else if (frame.length > 0) {
    const where = random.below(Math.min(frame.length, change === 3 ? 9 : frame.length));
    frame[where] = (frame[where] ?? 0) ^ (1 << random.below(8));
    frames[at] = frame;
  }
}

/**
 * @param {Random} random
 * @param {Buffer} bytes
 * @returns {Buffer[]}
 */
export function chunked(random, bytes) {
  if (random.below(2) === 0) return [bytes];
  const chunks = [];
  for (let from = 0; from < bytes.length;) {
    const length = 1 + random.below(random.pick([1, 12, 200, bytes.length]));
    chunks.push(bytes.subarray(from, from + length));
    from += length;
  }
  return chunks;
}
