import { constants, createHmac, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import type { SignatureAlgorithm, VerificationKey } from '../jwk/types.js';

/** What a signature is over, and the signature: the part of a compact JWS that cryptography sees. */
export interface SignedText {
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

type Method =
  | { readonly kind: 'rsa' | 'rsa-pss'; readonly hash: string }
  | { readonly kind: 'ecdsa'; readonly hash: string; readonly bytes: number }
  | { readonly kind: 'eddsa'; readonly bytes: number }
  | { readonly kind: 'hmac'; readonly hash: string; readonly bytes: number };

/** How each algorithm is verified (RFC 7518 3.1, RFC 8037 3.1), and how long its signatures are. */
const METHODS: Readonly<Record<SignatureAlgorithm, Method>> = {
  RS256: { kind: 'rsa', hash: 'sha256' },
  RS384: { kind: 'rsa', hash: 'sha384' },
  RS512: { kind: 'rsa', hash: 'sha512' },
  PS256: { kind: 'rsa-pss', hash: 'sha256' },
  PS384: { kind: 'rsa-pss', hash: 'sha384' },
  PS512: { kind: 'rsa-pss', hash: 'sha512' },
  ES256: { kind: 'ecdsa', hash: 'sha256', bytes: 64 },
  ES384: { kind: 'ecdsa', hash: 'sha384', bytes: 96 },
  ES512: { kind: 'ecdsa', hash: 'sha512', bytes: 132 },
  EdDSA: { kind: 'eddsa', bytes: 64 },
  HS256: { kind: 'hmac', hash: 'sha256', bytes: 32 },
  HS384: { kind: 'hmac', hash: 'sha384', bytes: 48 },
  HS512: { kind: 'hmac', hash: 'sha512', bytes: 64 },
};

/**
 * Verifies a JWS signature with a key that passed the import rules. Synchronous: the cryptography costs less than
 * a promise and a thread's hand-over would. Does not look at header, claims or whether the key may be trusted for them.
 *
 * @param signed untrusted
 * @param key from the issuer's set, a configured secret, or a proof's own key
 * @param alg from the header, already found in the configured list
 * @returns false for a wrong signature, and also where the key may not be used with `alg` or the length is wrong
 * @see RFC 7518 section 3, RFC 8037 section 3.1
 */
export function verifySignature(signed: SignedText, key: VerificationKey, alg: SignatureAlgorithm): boolean {
  if (!key.algorithms.includes(alg)) return false;
  const method = METHODS[alg];
  if ((method.kind === 'hmac') !== (key.keyObject.type === 'secret')) return false;
  if (signed.signature.length !== signatureBytes(method, key.keyObject)) return false;
  return check(method, key.keyObject, signed);
}

function signatureBytes(method: Method, key: KeyObject): number {
  if ('bytes' in method) return method.bytes;
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function check(method: Method, key: KeyObject, { signingInput, signature }: SignedText): boolean {
  const data = Buffer.from(signingInput, 'latin1');
  switch (method.kind) {
    case 'rsa':
      return verify(method.hash, data, key, signature);
    case 'rsa-pss':
      return verify(method.hash, data, { key, ...PSS }, signature);
    case 'ecdsa':
      return verify(method.hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'eddsa':
      return verify(null, data, key, signature);
    case 'hmac':
      return timingSafeEqual(createHmac(method.hash, key).update(data).digest(), signature);
  }
}

/** RFC 7518 3.5: the salt is as long as the hash, no shorter and no longer. */
const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
} as const;
