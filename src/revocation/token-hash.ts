import { hash } from 'node:crypto';
import { hasJwsOutline } from '../jws/compact.js';

/**
 * Hashes a token so that a revocation of it holds for every text that would be accepted in its place. For a JWT this is
 * the signing input alone: (r, n-s) is a second valid ECDSA signature over the same one. Any other token is hashed whole.
 *
 * @param token as the client sends it; untrusted
 * @returns base64url SHA-256
 * @see RFC 7515 section 7.1
 */
export function hashForRevocation(token: string): string {
  return hash('sha256', hasJwsOutline(token) ? token.slice(0, token.lastIndexOf('.')) : token, 'base64url');
}
