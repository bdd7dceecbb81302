// @ts-check
/** Connections for the comparison with Go's HPACK: made of a seed, so that a failure can be repeated. */

/** @typedef {import('./hpack-oracle.mjs').Block} Block */
/** @typedef {import('./hpack-oracle.mjs').Connection} Connection */
/** @typedef {import('./hpack-oracle.mjs').Field} Field */
/** @typedef {ReturnType<typeof import('./seeded-random.mjs').seededRandom>} Random */

/** Fields as they come in calls, which the encoder finds in its tables again. */
const USUAL = /** @type {readonly Field[]} */ ([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/envoy.service.auth.v3.Authorization/Check'],
  [':authority', 'gate.example'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ['grpc-timeout', '200m'],
  ['authorization', 'Bearer abc.def.ghi'],
]);
const NAMES = ['x-request-id', 'traceparent', 'user-agent', 'cookie', 'x-bin', 'grpc-accept-encoding'];
/** Within what the decoder allows: 4096 is its limit. */
const TABLE_SIZES = [0, 31, 64, 100, 500, 4096];

/**
 * @param {Random} random
 * @returns {Connection} to be encoded: a few blocks that share a dynamic table
 */
export function randomConnection(random) {
  const blocks = Array.from({ length: 1 + random.below(8) }, () => randomBlock(random));
  return { do: 'encode', blocks };
}

/**
 * @param {Random} random
 * @returns {Block}
 */
function randomBlock(random) {
  const fields = Array.from({ length: random.below(10) }, () => randomField(random));
  return random.below(5) === 0 ? { fields, tableBytes: random.pick(TABLE_SIZES) } : { fields };
}

/**
 * @param {Random} random
 * @returns {Field}
 */
function randomField(random) {
  const kind = random.below(4);
  if (kind < 2) return random.pick(USUAL);
  const text = random.octets(random.below(random.pick([4, 40, 300])));
  // Visible ASCII most of the time, any octet for the rest.
  if (kind === 2) text.forEach((octet, index) => (text[index] = 0x20 + (octet % 0x5f)));
  return [random.pick(NAMES), text.toString('latin1')];
}

/**
 * @param {Random} random
 * @param {readonly string[]} blocks in hex, well-formed
 * @returns {Connection} to be decoded: the blocks with some octets changed, cut, doubled or put in
 */
export function mutatedConnection(random, blocks) {
  return { do: 'decode', blocks: blocks.map((hex) => ({ hex: mutated(random, hex) })) };
}

/**
 * @param {Random} random
 * @param {string} hex
 * @returns {string}
 */
function mutated(random, hex) {
  const octets = Buffer.from(hex, 'hex');
  const at = random.below(octets.length + 1);
  const change = random.below(6);
  if (change === 0 && at < octets.length) octets[at] = random.below(256);
  else if (change === 1 && at < octets.length) octets[at] = (octets[at] ?? 0) ^ (1 << random.below(8));
  else if (change === 2) return octets.subarray(0, at).toString('hex');
  else if (change === 3) {
    return Buffer.concat([
      octets.subarray(0, at),
      random.octets(1 + random.below(6)),
      octets.subarray(at),
    ]).toString('hex');
  }
  return octets.toString('hex');
}
