import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import {
  publishedKeysOf,
  parseSigningKeySet,
  type PublishedKeySet,
  type SigningAlgorithm,
  type SigningKeySet,
} from './key-set.js';

/** Signs JWTs with the active key of a set. */
export interface JwtSigner {
  /**
   * Signs. Synchronous: an EdDSA or ES256 signature costs less than a thread's hand-over.
   *
   * @param payload JSON text of the claims
   * @returns a compact JWS with `typ: at+jwt` and the active `kid`
   */
  sign(payload: string): string;
  readonly alg: SigningAlgorithm;
  /** For /.well-known/jwks.json: every public key, and nothing private. */
  readonly jwks: PublishedKeySet;
}

/** A key set that cannot be signed with. The message names the member, never its value. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

/** How node:crypto signs for an algorithm. */
const DIGESTS: Readonly<Record<SigningAlgorithm, string | null>> = {
  EdDSA: null,
  ES256: 'sha256',
  RS256: 'sha256',
};

/**
 * Creates the signer of a key set.
 *
 * @param set from the configuration
 * @throws SigningKeyError where the set fails the checks of parseSigningKeySet()
 * @see RFC 7515 section 5.1, RFC 9068 section 2.1
 */
export function createJwtSigner(set: SigningKeySet): JwtSigner {
  const checked = parseSigningKeySet(set);
  if ('problem' in checked) throw new SigningKeyError(`tokens.keys: ${checked.problem}`);
  const { alg, key } = activeKeyOf(set);
  const header = base64url(JSON.stringify({ alg, typ: 'at+jwt', kid: set.active_kid }));
  return {
    alg,
    jwks: publishedKeysOf(set),
    sign(payload) {
      const input = `${header}.${base64url(payload)}`;
      const signature = sign(DIGESTS[alg], Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function activeKeyOf(set: SigningKeySet): { alg: SigningAlgorithm; key: KeyObject } {
  const jwk = set.private_keys.find(({ kid }) => kid === set.active_kid);
  if (jwk === undefined) throw new SigningKeyError('active_kid names no private key');
  return {
    alg: jwk.alg as SigningAlgorithm,
    key: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }),
  };
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
