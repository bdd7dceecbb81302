import type { Authenticator } from '../authenticator.js';
import { authenticateClient } from '../endpoint/client-authentication.js';
import type { TokenGrant } from '../issued-tokens.js';
import { narrowScopes } from '../scopes.js';
import type { TokenRecord } from '../store.js';
import type { Grant } from './grant.js';

/**
 * The client credentials grant: a personal access token becomes an access token with its owner, roles and scopes.
 *
 * @see RFC 6749 section 4.4
 */
export function createClientCredentialsGrant(authenticator: Authenticator): Grant {
  return async ({ c, parameters, credential, proof }) => {
    const record = await authenticateClient(c, credential, authenticator);
    const scopes = narrowScopes(parameters.get('scope'), record.scopes);
    return { grant: { ...grantOf(record), scopes, jkt: proof?.jkt } };
  };
}

/** What a personal access token says of itself in the tokens that are issued for it. */
export function grantOf(record: TokenRecord): TokenGrant {
  return {
    subject: record.tokenId,
    clientId: record.tokenId,
    scopes: record.scopes,
    notAfterS: record.expiresAt,
    claims: {
      owner: record.owner,
      admin: record.isAdmin ? true : undefined,
      roles: record.roles.length === 0 ? undefined : record.roles,
    },
  };
}
