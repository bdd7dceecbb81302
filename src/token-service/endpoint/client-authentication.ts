import type { Context } from 'hono';
import { clientAddressOf, rateLimitKeyOf } from '../../web/client-address.js';
import type { Authenticator } from '../authenticator.js';
import { OAuthError } from '../oauth-error.js';
import type { TokenRecord } from '../store.js';
import type { Parameters } from './parameters.js';

/** A credential of a client, and how it was sent. */
export interface PresentedCredential {
  readonly method: 'post' | 'basic' | 'bearer';
  /** Untrusted. A secret. */
  readonly text: string;
}

const BASIC_CHALLENGE = 'Basic realm="portcullis", charset="UTF-8"';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Finds the personal access token of a request: `client_secret` in the body, the password of Basic, whose user name is
 * ignored, or Bearer. Verifies nothing.
 *
 * @returns undefined where there is none
 * @throws OAuthError invalid_request where there are two; invalid_client for another scheme
 * @see RFC 6749 section 2.3.1, RFC 7617 section 2
 */
export function findCredential(c: Context, parameters: Parameters): PresentedCredential | undefined {
  const authorization = c.req.header('authorization');
  const secret = parameters.get('client_secret');
  if (authorization !== undefined && secret !== undefined)
    throw new OAuthError('invalid_request', 'the client is authenticated in two ways');
  if (secret !== undefined) return { method: 'post', text: secret };
  if (authorization === undefined) return undefined;
  const [, scheme = '', rest = ''] = /^([^ ]+) +([^ ].*)?$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { method: 'bearer', text: rest };
    case 'basic':
      return { method: 'basic', text: readPassword(rest) };
    default:
      throw new OAuthError('invalid_client', 'this scheme of Authorization is not supported');
  }
}

/**
 * Authenticates the client of a request by its personal access token.
 *
 * @param credential from findCredential()
 * @throws OAuthError invalid_client, with a challenge where Basic was used; what the authenticator throws
 * @see RFC 6749 section 5.2
 */
export async function authenticateClient(
  c: Context,
  credential: PresentedCredential | undefined,
  authenticator: Authenticator,
): Promise<TokenRecord> {
  if (credential === undefined) throw new OAuthError('invalid_client', 'client authentication is missing');
  try {
    return await authenticator.authenticate(credential.text, rateLimitKeyOf(clientAddressOf(c)));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'InvalidTokenError') throw error;
    throw credential.method === 'basic' ? invalidBasic() : new OAuthError('invalid_client', FAILED);
  }
}

const FAILED = 'client authentication failed';

function invalidBasic(): OAuthError {
  return new OAuthError('invalid_client', FAILED, { 'www-authenticate': BASIC_CHALLENGE });
}

/** Both halves are form-encoded (RFC 6749 2.3.1); of a token without `%` and `+` that changes nothing. */
function readPassword(encoded: string): string {
  const text = BASE64.test(encoded) ? Buffer.from(encoded, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon < 0) throw invalidBasic();
  try {
    return decodeURIComponent(text.slice(colon + 1).replaceAll('+', ' '));
  } catch {
    throw invalidBasic();
  }
}
