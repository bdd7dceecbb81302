import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from '../../ports.js';
import type { Grant, GrantResult } from '../grants/grant.js';
import type { IssuedToken, TokenIssuer } from '../issued-tokens.js';
import { OAuthError } from '../oauth-error.js';
import { findCredential } from './client-authentication.js';
import { answerError, toOAuthError } from './errors.js';
import { readParameters } from './parameters.js';
import type { JudgeProof } from './proof.js';

/** What the endpoint is made of. Read for each request, since a reload may change it. */
export interface TokenEndpointParts {
  /** By `grant_type`; only those that are turned on. */
  readonly grants: ReadonlyMap<string, Grant>;
  readonly issuer: TokenIssuer;
  readonly judgeProof: JudgeProof;
  /** Waits until a token of this client counts. */
  readonly untilIssuable: (clientId: string) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: { tokenRequest(grant: string, outcome: string): void };
}

/** `grant_type` by the words of the configuration. */
export const GRANT_TYPES = {
  client_credentials: 'client_credentials',
  jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const;

/** The paths of the endpoint: two names of one thing. */
export const TOKEN_PATHS = ['/oauth/token', '/auth/token'] as const;

const MAX_STATE_LENGTH = 1024;

/**
 * Creates the routes of the token endpoint.
 *
 * @see RFC 6749 sections 3.2 and 5
 */
export function createTokenRouter(parts: () => TokenEndpointParts): OpenAPIHono {
  const app = new OpenAPIHono();
  for (const path of TOKEN_PATHS) {
    app.openAPIRegistry.registerPath(describe(path));
    app.post(path, async (c) => {
      const { logger } = parts();
      try {
        return await answer(c, parts());
      } catch (error) {
        return answerError(c, toOAuthError(error, logger));
      }
    });
  }
  return app;
}

async function answer(c: Context, parts: TokenEndpointParts): Promise<Response> {
  const { metrics, logger } = parts;
  // Only what the configuration names becomes a label.
  let label = 'unknown';
  try {
    const parameters = await readParameters(c);
    const type = parameters.get('grant_type') ?? GRANT_TYPES.client_credentials;
    const grant = parts.grants.get(type);
    if (grant === undefined)
      throw new OAuthError('unsupported_grant_type', 'this grant type is not offered here');
    label = nameOf(type);
    const state = parameters.get('state');
    if (state !== undefined && state.length > MAX_STATE_LENGTH)
      throw new OAuthError('invalid_request', 'state is too long');
    const credential = findCredential(c, parameters);
    const proof = parts.judgeProof(c);
    const result = await grant({ c, parameters, credential, proof });
    await proof?.spend();
    await result.commit?.();
    await parts.untilIssuable(result.grant.clientId);
    const issued = parts.issuer.issue(result.grant);
    if (issued === undefined)
      throw new OAuthError('invalid_grant', 'what the token would rest on expires now');
    metrics.tokenRequest(label, 'issued');
    const headers = { 'cache-control': 'no-store', pragma: 'no-cache' };
    return c.json(bodyOf(issued, result, state), 200, {
      ...headers,
      ...(proof?.freshNonce === undefined ? {} : { 'dpop-nonce': proof.freshNonce }),
    });
  } catch (error) {
    metrics.tokenRequest(label, toOAuthError(error, QUIET).code);
    throw toOAuthError(error, logger);
  }
}

const QUIET: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function nameOf(type: string): string {
  return Object.entries(GRANT_TYPES).find(([, value]) => value === type)?.[0] ?? 'unknown';
}

function bodyOf(
  issued: IssuedToken,
  { grant, answer: more }: GrantResult,
  state: string | undefined,
): object {
  return {
    access_token: issued.accessToken,
    ...more,
    token_type: issued.tokenType,
    expires_in: issued.expiresInS,
    ...(grant.scopes.length === 0 ? {} : { scope: grant.scopes.join(' ') }),
    ...(state === undefined ? {} : { state }),
  };
}

const request = z.object({
  grant_type: z.enum(GRANT_TYPES).optional(),
  client_secret: z.string().optional().openapi({ description: 'A personal access token' }),
  scope: z.string().optional(),
  state: z.string().optional(),
  assertion: z.string().optional(),
  subject_token: z.string().optional(),
  subject_token_type: z.string().optional(),
  actor_token: z.string().optional(),
  actor_token_type: z.string().optional(),
  audience: z.string().optional(),
});
const success = z.object({
  access_token: z.string(),
  token_type: z.enum(['Bearer', 'DPoP']),
  expires_in: z.int(),
  scope: z.string().optional(),
  state: z.string().optional(),
  issued_token_type: z.string().optional(),
});
/** The body of an error (RFC 6749 5.2). */
export const oauthErrorSchema = z.object({ error: z.string(), error_description: z.string().optional() });

function describe(path: string) {
  const refusal = (description: string) => ({
    description,
    content: { 'application/json': { schema: oauthErrorSchema } },
  });
  return createRoute({
    method: 'post',
    path,
    summary: 'Token endpoint (RFC 6749, 7523, 8693, 9449)',
    request: {
      body: {
        content: {
          'application/x-www-form-urlencoded': { schema: request },
          'application/json': { schema: request },
        },
      },
    },
    responses: {
      200: { description: 'A token', content: { 'application/json': { schema: success } } },
      400: refusal('The request was refused'),
      401: refusal('The client could not be authenticated'),
      429: refusal('Too many failed attempts'),
      503: refusal('Try again later'),
    },
  });
}
