import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { MAX_KID_LENGTH } from '../jws/header.js';
import { JwkRejection } from './jwk-rejection.js';
import { assertEcKey, assertOkpKey, assertRsaKey, type BareKey, type MemberReader } from './key-strength.js';
import type { AsymmetricAlgorithm, SymmetricAlgorithm, VerificationKey } from './types.js';

/** What an importer may want stricter. */
export interface ImportOptions {
  /** The largest RSA modulus, in bits: verification grows with its square. */
  readonly maxRsaBits?: number;
}

/** What a key from the configuration says beside itself. */
export interface ConfiguredKeyOptions {
  readonly kid?: string | undefined;
}

const DEFAULT_MAX_RSA_BITS = 8192;

/** A published key that holds one of these is no longer secret (RFC 7518 6.2.2, 6.3.2, 6.4; RFC 8037 2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

/**
 * Turns a public JWK into a key to verify with, if it passes every rule: a known type and curve, strong, without private
 * members, meant for signatures, its `alg` fitting. Does not look at certificates (`x5c`, `x5t`), and does not say
 * whether the key is to be trusted.
 *
 * @param jwk untrusted; from a key set or a DPoP proof
 * @returns the key, with the algorithms it may verify: its `alg` alone, or all of its family and curve
 * @throws JwkRejection
 * @see RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2, RFC 8725 section 3.2
 */
export function importPublicJwk(jwk: unknown, options: ImportOptions = {}): VerificationKey {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw new JwkRejection('not_an_object');
  const member: MemberReader = (name) =>
    Object.hasOwn(jwk, name) ? (jwk as Record<string, unknown>)[name] : undefined;
  const kty = member('kty');
  if (kty === 'oct') throw new JwkRejection('symmetric_key');
  for (const name of PRIVATE_MEMBERS) {
    if (member(name) !== undefined) throw new JwkRejection('private_key');
  }
  assertMeantToVerify(member);
  const bare = assertStrong(kty, member, options.maxRsaBits ?? DEFAULT_MAX_RSA_BITS);
  return {
    kid: readKid(member('kid')),
    algorithms: declaredAlgorithms(member('alg'), bare.algorithms),
    keyObject: importBareKey(bare.jwk),
  };
}

function assertMeantToVerify(member: MemberReader): void {
  const use = member('use');
  const operations = member('key_ops');
  if (use !== undefined && use !== 'sig') throw new JwkRejection('wrong_use');
  if (operations === undefined) return;
  if (!Array.isArray(operations) || !operations.includes('verify')) throw new JwkRejection('wrong_use');
}

function assertStrong(kty: unknown, member: MemberReader, maxRsaBits: number): BareKey {
  switch (kty) {
    case 'RSA':
      return assertRsaKey(member, maxRsaBits);
    case 'EC':
      return assertEcKey(member);
    case 'OKP':
      return assertOkpKey(member);
    default:
      throw new JwkRejection('unsupported_key_type');
  }
}

function readKid(kid: unknown): string | undefined {
  if (kid === undefined) return undefined;
  if (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH) throw new JwkRejection('bad_kid');
  return kid;
}

function declaredAlgorithms(
  declared: unknown,
  fitting: readonly AsymmetricAlgorithm[],
): readonly AsymmetricAlgorithm[] {
  if (declared === undefined) return fitting;
  const alg = declared === 'Ed25519' ? 'EdDSA' : declared;
  const found = fitting.find((one) => one === alg);
  if (found === undefined) throw new JwkRejection('algorithm_mismatch');
  return [found];
}

function importBareKey(jwk: BareKey['jwk']): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new JwkRejection('invalid_key');
  }
}

/** One public key and nothing else. A private PEM would import as well, so it is refused by its label. */
const PUBLIC_PEM = /^\s*-----BEGIN (PUBLIC KEY|RSA PUBLIC KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*$/;

/**
 * Turns a PEM public key (SubjectPublicKeyInfo, or PKCS#1 for RSA) into a key to verify with, under the same rules as a
 * JWK. Certificates and private keys are refused: the first say more than is checked here, the second belong elsewhere.
 *
 * @param pem from the configuration
 * @param alg the one algorithm it may verify; undefined: all of its family and curve
 * @throws JwkRejection
 * @see RFC 7468 section 13
 */
export function importPem(
  pem: string,
  alg: AsymmetricAlgorithm | undefined,
  options: ConfiguredKeyOptions = {},
): VerificationKey {
  if (pem.includes('PRIVATE KEY-----')) throw new JwkRejection('private_key');
  if (!PUBLIC_PEM.test(pem)) throw new JwkRejection('unsupported_pem');
  const jwk: Record<string, unknown> = exportPem(pem);
  if (alg !== undefined) jwk.alg = alg;
  if (options.kid !== undefined) jwk.kid = options.kid;
  return importPublicJwk(jwk);
}

function exportPem(pem: string): Record<string, unknown> {
  try {
    return { ...createPublicKey(pem).export({ format: 'jwk' }) };
  } catch {
    throw new JwkRejection('invalid_key');
  }
}

/** RFC 7518 3.2: a key as long as the hash, or longer. */
const SECRET_BYTES: Readonly<Record<SymmetricAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/**
 * Turns a configured secret into an HMAC key of one algorithm. There is no other way to one: a fetched or embedded key
 * never becomes a secret.
 *
 * @param secret from the configuration; a text counts in its UTF-8 bytes
 * @throws JwkRejection weak_secret where it is shorter than the hash
 * @see RFC 7518 section 3.2
 */
export function importSecret(
  secret: string | Uint8Array,
  alg: SymmetricAlgorithm,
  options: ConfiguredKeyOptions = {},
): VerificationKey {
  const bytes = Buffer.from(secret);
  if (bytes.length < SECRET_BYTES[alg]) throw new JwkRejection('weak_secret');
  return { kid: readKid(options.kid), algorithms: [alg], keyObject: createSecretKey(bytes) };
}
