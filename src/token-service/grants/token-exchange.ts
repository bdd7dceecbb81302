import type { VerifiedToken } from '../../authz/types.js';
import { hasJwsOutline } from '../../jws/compact.js';
import type { JsonObject } from '../../ports.js';
import type { Authenticator } from '../authenticator.js';
import { authenticateClient } from '../endpoint/client-authentication.js';
import type { Parameters } from '../endpoint/parameters.js';
import type { ExchangeableToken } from '../exchangeable-tokens.js';
import { OAuthError } from '../oauth-error.js';
import { intersectScopes, narrowScopes } from '../scopes.js';
import { chainActor, mayAct } from './actor.js';
import type { Grant } from './grant.js';

/** What the grant is made of. */
export interface TokenExchangeOptions {
  readonly authenticator: Authenticator;
  /**
   * Verifies a token of `exchange.issuers`, introspection and revocation included. Does not look at its binding.
   *
   * @throws OAuthError invalid_request; KeysUnavailableError
   */
  readonly verifyToken: (token: string) => Promise<ExchangeableToken>;
  /** `exchange.scopes`: what may be had at most. */
  readonly scopes: readonly string[];
  /** `exchange.ttl`, milliseconds. */
  readonly ttlMs: number;
  /** `tokens.audiences` */
  readonly audiences: readonly string[];
  /** `tokens.issuer` */
  readonly issuer: string;
  readonly format: 'jwt' | 'sealed';
}

const TYPE = 'urn:ietf:params:oauth:token-type:';
const ACCESS_TOKEN = `${TYPE}access_token`;
const JWT = `${TYPE}jwt`;

/**
 * The token exchange grant: a token of another issuer becomes one of ours, with less in it and for a shorter time, for a
 * client that authenticates with a personal access token.
 *
 * @see RFC 8693 sections 2.1, 2.2 and 4
 */
export function createTokenExchangeGrant(options: TokenExchangeOptions): Grant {
  return async ({ c, parameters, credential, proof }) => {
    const record = await authenticateClient(c, credential, options.authenticator);
    const audience = readAudience(parameters, options.audiences);
    assertRequestedType(parameters.get('requested_token_type'), options.format);
    const subject = await readToken('subject', parameters, options);
    const actor = await readToken('actor', parameters, options);
    if (subject === undefined) throw new OAuthError('invalid_request', 'subject_token is missing');
    assertBinding(subject, proof?.jkt);
    if (actor !== undefined) assertBinding(actor, proof?.jkt);
    mayAct(subject, actor, { issuer: options.issuer, clientId: record.tokenId });
    const allowed = intersectScopes(subject.scopes, record.scopes, options.scopes);
    return {
      grant: {
        subject: subjectOf(subject),
        clientId: record.tokenId,
        scopes: narrowScopes(parameters.get('scope'), allowed),
        audience,
        notAfterS: Math.min(subject.endsAtS, actor?.endsAtS ?? Infinity, record.expiresAt ?? Infinity),
        ttlMs: options.ttlMs,
        claims: { act: chainActor(subject, actor) } satisfies JsonObject,
        jkt: proof?.jkt,
      },
      answer: { issued_token_type: ACCESS_TOKEN },
    };
  };
}

function assertRequestedType(type: string | undefined, format: 'jwt' | 'sealed'): void {
  if (type === undefined || type === ACCESS_TOKEN || (type === JWT && format === 'jwt')) return;
  throw new OAuthError('invalid_request', 'requested_token_type is not supported');
}

/** RFC 8693 2.1: `audience` and `resource` both name where the token will be used. */
function readAudience(parameters: Parameters, audiences: readonly string[]): string | undefined {
  const wanted = [parameters.get('audience'), parameters.get('resource')].filter((one) => one !== undefined);
  if (wanted.some((one) => !audiences.includes(one)) || new Set(wanted).size > 1)
    throw new OAuthError('invalid_target', 'no tokens are issued for this audience');
  return wanted[0];
}

async function readToken(
  role: 'subject' | 'actor',
  parameters: Parameters,
  { verifyToken }: TokenExchangeOptions,
): Promise<ExchangeableToken | undefined> {
  const token = parameters.get(`${role}_token`);
  const type = parameters.get(`${role}_token_type`);
  if (token === undefined) {
    if (type === undefined) return undefined;
    throw new OAuthError('invalid_request', `${role}_token_type is there without ${role}_token`);
  }
  if (type !== ACCESS_TOKEN && type !== JWT)
    throw new OAuthError('invalid_request', `${role}_token_type must be access_token or jwt`);
  if (type === JWT && !hasJwsOutline(token))
    throw new OAuthError('invalid_request', `${role}_token is no JWT`);
  return verifyToken(token);
}

/** What is bound stays bound: to the same key, which the request must prove (RFC 9449 4.3). */
function assertBinding({ confirmation }: VerifiedToken, jkt: string | undefined): void {
  if (confirmation === undefined) return;
  if (confirmation.x5tS256 !== undefined || confirmation.jkt !== jkt)
    throw new OAuthError('invalid_request', 'the token is bound, and the request has no proof by its key');
}

function subjectOf({ subject, clientId }: VerifiedToken): string {
  const name = subject ?? clientId;
  if (name === undefined) throw new OAuthError('invalid_request', 'the subject token names nobody');
  return name;
}
