import { hash } from 'node:crypto';

/**
 * Hashes a token for the cache and for a proof's `ath`: once per Check. Over the whole text, never over its signature alone: (r, n-s)
 * is a valid ECDSA signature too.
 *
 * @param token as the client sent it
 * @returns base64url SHA-256
 * @see RFC 9449 section 4.2
 */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
