import type { KeyObject } from 'node:crypto';

/** The signature algorithms that Portcullis verifies (RFC 7518 3.1, RFC 8037; `Ed25519` of RFC 9864 is read as EdDSA). */
export const ASYMMETRIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** HMAC algorithms: only ever with a configured secret, never with a key that was fetched. */
export const SYMMETRIC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

/** An algorithm whose keys are public. */
export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];
/** An algorithm whose key is a shared secret. */
export type SymmetricAlgorithm = (typeof SYMMETRIC_ALGORITHMS)[number];
/** Any algorithm that may be configured. */
export type SignatureAlgorithm = AsymmetricAlgorithm | SymmetricAlgorithm;

/** A key that passed the strength and use rules, ready to verify with. */
export interface VerificationKey {
  /** `kid` as published; a bounded string. */
  readonly kid: string | undefined;
  /** The algorithms this very key may verify: its declared `alg` alone, or all of its family and curve. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Kept imported, so that a verification costs the cryptography alone. */
  readonly keyObject: KeyObject;
}
