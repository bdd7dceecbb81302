import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Clock, Logger } from '../../ports.js';
import { BOOTSTRAP_ID, type Authenticator } from '../authenticator.js';
import { OAuthError } from '../oauth-error.js';
import type { IssuedRevocations, JudgeOwnToken } from '../own-tokens.js';
import { parsePersonalAccessToken } from '../personal-access-token.js';
import type { TokenRecord, TokenStore } from '../store.js';
import { authenticateClient, findCredential } from './client-authentication.js';
import { answerError, toOAuthError } from './errors.js';
import { readParameters } from './parameters.js';
import { oauthErrorSchema } from './token.js';

/** What the endpoint is made of. */
export interface RevocationEndpointParts {
  /** Of the client. */
  readonly authenticator: Authenticator;
  /** Of the token to revoke, when it is a personal access token: without limits, since the client is known. */
  readonly tokens: Authenticator;
  readonly judgeOwnToken: JudgeOwnToken;
  readonly store: TokenStore;
  readonly revocations: IssuedRevocations;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Creates the revocation endpoint, for access tokens and personal access tokens of our own. A client revokes what is
 * its own, an administrator everything. A token that is unknown or counts no longer is a success (RFC 7009 2.2).
 *
 * @see RFC 7009
 */
export function createRevocationRouter(parts: () => RevocationEndpointParts): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(ROUTE);
  app.post(ROUTE.path, async (c) => {
    try {
      await revoke(c, parts());
      return c.body(null, 200, { 'cache-control': 'no-store' });
    } catch (error) {
      return answerError(c, toOAuthError(error, parts().logger));
    }
  });
  return app;
}

async function revoke(c: Context, parts: RevocationEndpointParts): Promise<void> {
  const parameters = await readParameters(c);
  const client = await authenticateClient(c, findCredential(c, parameters), parts.authenticator);
  const token = parameters.get('token');
  if (token === undefined) throw new OAuthError('invalid_request', 'token is missing');
  if (parsePersonalAccessToken(token, parts.prefix) === undefined) await revokeIssued(token, client, parts);
  else await revokePersonal(token, client, parts);
}

async function revokeIssued(
  token: string,
  client: TokenRecord,
  parts: RevocationEndpointParts,
): Promise<void> {
  const own = await parts.judgeOwnToken(token);
  if (own === undefined) return;
  const { jti, exp, client_id: clientId } = own.claims;
  assertOwner(client, clientId);
  await parts.revocations.revokeToken({ jti: String(jti), expiresAtS: Number(exp) });
  audit(parts, { action: 'revoke_issued', by: client.tokenId, tokenId: clientId });
}

async function revokePersonal(
  token: string,
  client: TokenRecord,
  parts: RevocationEndpointParts,
): Promise<void> {
  let record: TokenRecord;
  try {
    record = await parts.tokens.authenticate(token, '');
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidTokenError') return;
    throw error;
  }
  assertOwner(client, record.tokenId);
  if (record.tokenId === BOOTSTRAP_ID)
    throw new OAuthError('invalid_request', 'the bootstrap token is revoked in the configuration');
  const nowS = Math.floor(parts.clock.now() / 1000);
  await parts.store.revoke(record.tokenId, { revokedAt: nowS });
  await parts.revocations.revokeClient(record.tokenId, nowS);
  audit(parts, { action: 'revoke', by: client.tokenId, tokenId: record.tokenId });
}

/** RFC 7009 2.1: a client may not revoke what was issued to another. */
function assertOwner(client: TokenRecord, tokenId: unknown): void {
  if (!client.isAdmin && client.tokenId !== tokenId)
    throw new OAuthError('unauthorized_client', 'the token was issued to another client');
}

function audit(
  { logger }: RevocationEndpointParts,
  fields: { readonly action: string; readonly by: string; readonly tokenId: unknown },
): void {
  const { action, by, tokenId } = fields;
  const id = typeof tokenId === 'string' ? tokenId : undefined;
  logger.audit?.({ action: `token_${action}`, outcome: 'ok', by, tokenId: id });
  logger.info({ event: 'audit', ...fields, outcome: 'ok' }, 'audit');
}

const ROUTE = createRoute({
  method: 'post',
  path: '/oauth/revoke',
  summary: 'Token revocation (RFC 7009)',
  request: {
    body: {
      content: {
        'application/x-www-form-urlencoded': {
          schema: z.object({ token: z.string(), token_type_hint: z.string().optional() }),
        },
      },
    },
  },
  responses: {
    200: { description: 'The token counts no longer' },
    400: { description: 'Refused', content: { 'application/json': { schema: oauthErrorSchema } } },
    401: { description: 'Not authenticated', content: { 'application/json': { schema: oauthErrorSchema } } },
  },
});
