import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { JsonObject, Logger } from '../../ports.js';
import { clientAddressOf, rateLimitKeyOf } from '../../web/client-address.js';
import { isAdministrator } from '../admin/administrator.js';
import { InvalidTokenError, type Authenticator } from '../authenticator.js';
import { grantOf } from '../grants/client-credentials.js';
import { OAuthError } from '../oauth-error.js';
import type { JudgeOwnToken } from '../own-tokens.js';
import { parsePersonalAccessToken } from '../personal-access-token.js';
import type { TokenRecord } from '../store.js';
import { authenticateClient, findCredential, type PresentedCredential } from './client-authentication.js';
import { answerError, toOAuthError } from './errors.js';
import { readParameters } from './parameters.js';
import { oauthErrorSchema } from './token.js';

/** What the endpoint is made of. */
export interface IntrospectionEndpointParts {
  /** Of the caller. */
  readonly authenticator: Authenticator;
  /** Of the token that is asked about. */
  readonly tokens: Authenticator;
  readonly judgeOwnToken: JudgeOwnToken;
  /** `tokens.issuer` */
  readonly issuer: string;
  readonly prefix: string;
  /** `tokens.bootstrapAdmin` is there. */
  readonly hasBootstrap: boolean;
  readonly logger: Logger;
}

/** Who holds this role may ask, beside administrators. */
const ROLE = 'introspect';

/**
 * Creates the introspection endpoint, for access tokens and personal access tokens of our own. Everything else is
 * inactive.
 *
 * @see RFC 7662
 */
export function createIntrospectionRouter(parts: () => IntrospectionEndpointParts): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(ROUTE);
  app.post(ROUTE.path, async (c) => {
    try {
      return c.json(await introspect(c, parts()), 200, { 'cache-control': 'no-store' });
    } catch (error) {
      return answerError(c, toOAuthError(error, parts().logger));
    }
  });
  return app;
}

async function introspect(c: Context, parts: IntrospectionEndpointParts): Promise<object> {
  const parameters = await readParameters(c);
  await assertCaller(c, findCredential(c, parameters), parts);
  const token = parameters.get('token');
  if (token === undefined) throw new OAuthError('invalid_request', 'token is missing');
  const claims =
    parsePersonalAccessToken(token, parts.prefix) === undefined
      ? (await parts.judgeOwnToken(token))?.claims
      : await describePersonal(token, rateLimitKeyOf(clientAddressOf(c)), parts);
  if (claims === undefined) return { active: false };
  return { ...claims, active: true, token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP' };
}

async function assertCaller(
  c: Context,
  credential: PresentedCredential | undefined,
  parts: IntrospectionEndpointParts,
): Promise<void> {
  if (
    credential?.method === 'bearer' &&
    parsePersonalAccessToken(credential.text, parts.prefix) === undefined
  ) {
    const own = await parts.judgeOwnToken(credential.text);
    if (own === undefined || own.claims.cnf !== undefined)
      throw new OAuthError('invalid_client', 'the access token is not valid', {
        'www-authenticate': 'Bearer',
      });
    if (isAdministrator(own, parts.hasBootstrap)) return;
    throw new OAuthError('insufficient_scope', 'only administrators may ask');
  }
  const client = await authenticateClient(c, credential, parts.authenticator);
  if (!client.isAdmin && !client.roles.includes(ROLE))
    throw new OAuthError('insufficient_scope', `only administrators and the role ${ROLE} may ask`);
}

async function describePersonal(
  token: string,
  address: string,
  { tokens, issuer }: IntrospectionEndpointParts,
): Promise<JsonObject | undefined> {
  try {
    return claimsOf(await tokens.authenticate(token, address), issuer);
  } catch (error) {
    if (error instanceof InvalidTokenError) return undefined;
    throw error;
  }
}

function claimsOf(record: TokenRecord, issuer: string): JsonObject {
  const { subject, clientId, scopes, claims } = grantOf(record);
  return {
    iss: issuer,
    sub: subject,
    client_id: clientId,
    iat: record.createdAt,
    ...(record.expiresAt === undefined ? {} : { exp: record.expiresAt }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...claims,
  };
}

const ROUTE = createRoute({
  method: 'post',
  path: '/oauth/introspect',
  summary: 'Token introspection (RFC 7662)',
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
    200: {
      description: 'What the token says',
      content: { 'application/json': { schema: z.looseObject({ active: z.boolean() }) } },
    },
    400: { description: 'Refused', content: { 'application/json': { schema: oauthErrorSchema } } },
    401: { description: 'Not authenticated', content: { 'application/json': { schema: oauthErrorSchema } } },
    403: { description: 'Not allowed', content: { 'application/json': { schema: oauthErrorSchema } } },
  },
});
