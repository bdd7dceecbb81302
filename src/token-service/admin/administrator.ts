import type { Context } from 'hono';
import { clientAddressOf, rateLimitKeyOf } from '../../web/client-address.js';
import { BOOTSTRAP_ID, type Authenticator } from '../authenticator.js';
import type { JudgeOwnToken, OwnToken } from '../own-tokens.js';
import { AdminError } from './admin-error.js';

/** What administrators are recognized by. */
export interface AdministratorOptions {
  readonly authenticator: Authenticator;
  readonly judgeOwnToken: JudgeOwnToken;
  /** `tokens.prefix` */
  readonly prefix: string;
  /** `tokens.bootstrapAdmin` is there. */
  readonly hasBootstrap: boolean;
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const MISSING = { 'www-authenticate': 'Bearer' };
const INVALID = { 'www-authenticate': 'Bearer error="invalid_token"' };

/**
 * Finds out which administrator calls: by an access token of our own with `admin: true`, or by an admin's personal access
 * token.
 *
 * @returns the tokenId
 * @throws AdminError unauthorized, forbidden; what the authenticator throws
 */
export async function authenticateAdministrator(c: Context, options: AdministratorOptions): Promise<string> {
  const [, text] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
  if (text === undefined) throw new AdminError('unauthorized', 'a bearer token is needed', MISSING);
  if (text.startsWith(options.prefix)) {
    const record = await options.authenticator.authenticate(text, rateLimitKeyOf(clientAddressOf(c)));
    if (!record.isAdmin) throw new AdminError('forbidden', 'only administrators may do this');
    return record.tokenId;
  }
  const own = await options.judgeOwnToken(text);
  // A bound token is worth nothing without a proof by its key, and none is looked at here.
  if (own === undefined || own.claims.cnf !== undefined)
    throw new AdminError('unauthorized', 'the token is not valid', INVALID);
  if (!isAdministrator(own, options.hasBootstrap))
    throw new AdminError('forbidden', 'only administrators may do this');
  return String(own.claims.client_id);
}

/**
 * Does this token speak for an administrator? Its record decides as it is now: who is no longer one must not be one until
 * the token expires.
 *
 * @param own judged
 */
export function isAdministrator({ claims, record }: OwnToken, hasBootstrap: boolean): boolean {
  if (claims.admin !== true) return false;
  return claims.client_id === BOOTSTRAP_ID ? hasBootstrap : record?.isAdmin === true;
}
