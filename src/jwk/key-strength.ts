import { decodeBase64Url } from '../jws/base64url.js';
import { JwkRejection } from './jwk-rejection.js';
import { isRocaModulus } from './roca.js';
import type { AsymmetricAlgorithm } from './types.js';

const MIN_RSA_BITS = 2048;
const MIN_EXPONENT = 65537;
/** The largest Fermat-like exponent ever seen in use; a larger one only makes verification expensive. */
const MAX_EXPONENT = 2 ** 32 + 1;

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;

/** Curve → coordinate length in bytes and the one algorithm that fits (RFC 7518 3.4 and 6.2.1). */
const EC_CURVES = new Map<string, { bytes: number; alg: AsymmetricAlgorithm }>([
  ['P-256', { bytes: 32, alg: 'ES256' }],
  ['P-384', { bytes: 48, alg: 'ES384' }],
  ['P-521', { bytes: 66, alg: 'ES512' }],
]);

/** A public key cut down to the members that make it, with the algorithms that fit its family and curve. */
export interface BareKey {
  readonly jwk: Readonly<Record<string, string>>;
  readonly algorithms: readonly AsymmetricAlgorithm[];
}

/** Reads an own member of a JWK, never one of a prototype. */
export type MemberReader = (name: string) => unknown;

/**
 * Checks an RSA public key: 2048 bits and more, an odd modulus, an odd exponent of 65537 and more, both written in the
 * fewest bytes, and a modulus that does not bear the fingerprint of ROCA. Does not look for factors.
 *
 * @param member reads the untrusted JWK
 * @param maxBits above which verification is too expensive
 * @throws JwkRejection
 * @see RFC 7518 sections 3.3 and 6.3.1, NIST SP 800-56B
 */
export function assertRsaKey(member: MemberReader, maxBits: number): BareKey {
  const n = decodeMember(member('n'));
  const e = decodeMember(member('e'));
  if (n[0] === 0 || e[0] === 0) throw new JwkRejection('malformed_member');
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS || bits > maxBits || !isOdd(n)) throw new JwkRejection('weak_key');
  if (e.length > 6 || !isOdd(e)) throw new JwkRejection('weak_key');
  const exponent = e.readUIntBE(0, e.length);
  if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) throw new JwkRejection('weak_key');
  // CVE-2017-15361. Last, since it costs the most.
  if (isRocaModulus(n)) throw new JwkRejection('weak_key');
  return {
    jwk: { kty: 'RSA', n: member('n') as string, e: member('e') as string },
    algorithms: RSA_ALGORITHMS,
  };
}

/**
 * Checks an EC public key: a known curve, and coordinates of exactly its length. That the point is on the curve is
 * for the import to find: OpenSSL refuses others.
 *
 * @param member reads the untrusted JWK
 * @throws JwkRejection
 * @see RFC 7518 section 6.2.1
 */
export function assertEcKey(member: MemberReader): BareKey {
  const crv = member('crv');
  const curve = typeof crv === 'string' ? EC_CURVES.get(crv) : undefined;
  if (curve === undefined) throw new JwkRejection('unsupported_curve');
  for (const name of ['x', 'y']) {
    if (decodeMember(member(name)).length !== curve.bytes) throw new JwkRejection('malformed_member');
  }
  const jwk = { kty: 'EC', crv: crv as string, x: member('x') as string, y: member('y') as string };
  return { jwk, algorithms: [curve.alg] };
}

/**
 * Checks an Ed25519 public key: 32 bytes, a canonical point, and none of the few of small order, under which one
 * signature verifies many texts. A point that is not on the curve is not detected here; no signature verifies under it.
 *
 * @param member reads the untrusted JWK
 * @throws JwkRejection
 * @see RFC 8037 section 2, RFC 8032 sections 5.1.3 and 8.4
 */
export function assertOkpKey(member: MemberReader): BareKey {
  if (member('crv') !== 'Ed25519') throw new JwkRejection('unsupported_curve');
  const x = decodeMember(member('x'));
  if (x.length !== 32) throw new JwkRejection('malformed_member');
  const y = edwardsY(x);
  if (y >= FIELD_PRIME) throw new JwkRejection('malformed_member');
  if (SMALL_ORDER_Y.has(y)) throw new JwkRejection('weak_key');
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x: member('x') as string }, algorithms: ['EdDSA'] };
}

const FIELD_PRIME = 2n ** 255n - 19n;

/** The y coordinates of the eight points whose order divides 8 (each x has its negative, which shares y). */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]);

/** The encoded y: little-endian, without the sign bit of x. */
function edwardsY(point: Buffer): bigint {
  const bytes = Buffer.from(point).reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return BigInt(`0x${bytes.toString('hex')}`);
}

function isOdd(bytes: Buffer): boolean {
  return ((bytes[bytes.length - 1] ?? 0) & 1) === 1;
}

/** Longer than any key within bounds: 8192 bits and more are 1366 characters and more. */
const MAX_MEMBER_LENGTH = 4096;

function decodeMember(value: unknown): Buffer {
  if (typeof value !== 'string' || value === '' || value.length > MAX_MEMBER_LENGTH) {
    throw new JwkRejection('malformed_member');
  }
  const bytes = decodeBase64Url(value);
  if (bytes === undefined) throw new JwkRejection('malformed_member');
  return bytes;
}
