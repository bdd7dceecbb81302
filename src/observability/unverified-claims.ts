/** The claims of a refused token, so that the log can name an issuer that is missing or mistyped. */
import type { JsonObject } from '../ports.js';

/** Longer payloads are not parsed: logging must stay cheap. */
const MAX_PAYLOAD_CHARS = 16 * 1024;

/**
 * Reads the claims of a compact JWS without verifying anything. For the log alone, which marks them as unverified.
 *
 * @param token as the client sent it
 * @returns undefined when it is not a JWS with a JSON object in it
 */
export function readUnverifiedClaims(token: string): JsonObject | undefined {
  const start = token.indexOf('.') + 1;
  const end = token.indexOf('.', start);
  if (start === 0 || end < 0 || end - start > MAX_PAYLOAD_CHARS) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.slice(start, end), 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
