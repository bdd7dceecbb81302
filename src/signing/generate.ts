import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { jwkThumbprint } from '../jwk/thumbprint.js';
import type { SigningAlgorithm, SigningKeySet } from './key-set.js';

/** RS256 alone reads it. */
const RSA_BITS = 3072;

/**
 * Makes a signing key set of one key.
 *
 * @param kid its name; the RFC 7638 thumbprint of the public key where it is left out
 * @see RFC 7517 section 4, RFC 7638 section 3
 */
export async function generateSigningKeys(alg: SigningAlgorithm, kid?: string): Promise<SigningKeySet> {
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    modulusLength: RSA_BITS,
  });
  // Exported on its own rather than cut out of the private one, so that no private member can be left in it.
  const bare = await exportJWK(publicKey);
  const name = kid ?? jwkThumbprint(bare);
  const named = (jwk: JWK): Record<string, unknown> => ({ ...jwk, kid: name, alg, use: 'sig' });
  return { active_kid: name, private_keys: [named(await exportJWK(privateKey))], public_keys: [named(bare)] };
}
