/** Composition: the token exchange grant of one configuration. */
import type { KnownRevocations } from '../authz/stages/check-revocation.js';
import { createTokenVerifier } from '../authz/token/verifier.js';
import type { TokenVerifier } from '../authz/token/types.js';
import type { Config, IssuerConfig, TokensConfig, TokenServiceConfig } from '../config/config.js';
import type { AskIntrospection } from '../introspections.js';
import type { KeySource } from '../jwks/key-source.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { Clock } from '../ports.js';
import { isSealedOutline } from '../signing/sealed-token.js';
import { createForeignKinds } from '../token-kinds.js';
import type { Authenticator } from './authenticator.js';
import { createExchangeableTokens } from './exchangeable-tokens.js';
import type { Grant } from './grants/grant.js';
import { createTokenExchangeGrant } from './grants/token-exchange.js';
import type { JudgeOwnToken } from './own-tokens.js';
import { parsePersonalAccessToken } from './personal-access-token.js';

/** What the grant borrows. */
export interface TokenExchangeDeps {
  readonly authenticator: Authenticator;
  readonly judgeOwnToken: JudgeOwnToken;
  readonly known: KnownRevocations;
  readonly introspect: AskIntrospection;
  readonly keysOf: (issuer: string, source: KeySource | undefined) => IssuerKeys;
  readonly clock: Clock;
}

/** Creates the grant. Subject and actor tokens are judged as at a Check, by the same issuers and rules. */
export function createConfiguredTokenExchange(
  config: Config,
  { issuer, audiences, service }: TokensConfig & { readonly service: TokenServiceConfig },
  deps: TokenExchangeDeps,
): Grant {
  const { issuers = [], scopes = [], ttl = service.ttl } = service.exchange ?? {};
  const exchangeable = config.issuers.filter((one) => issuers.includes(one.issuer));
  const { maxStale = 0, onUnavailable = 'deny' } = config.revocation ?? {};
  return createTokenExchangeGrant({
    authenticator: deps.authenticator,
    verifyToken: createExchangeableTokens({
      verifier: createVerifier({ ...config, issuers: exchangeable }, deps),
      judgeOwnToken: issuers.includes(issuer) ? deps.judgeOwnToken : undefined,
      issuer,
      isOwn: (text) =>
        parsePersonalAccessToken(text, service.prefix) !== undefined ||
        (service.sealing !== undefined && isSealedOutline(text)),
      revocations: deps.known,
      maxStaleMs: onUnavailable === 'deny' ? maxStale : Infinity,
      answerTtlMs: (name) => answerTtlOf(exchangeable, name),
      clock: deps.clock,
    }),
    scopes,
    ttlMs: ttl,
    audiences,
    issuer,
    format: service.format,
  });
}

/** Nothing is remembered: an exchange is rare, and what it makes lives on. */
function createVerifier(config: Config, { keysOf, introspect, clock }: TokenExchangeDeps): TokenVerifier {
  return createTokenVerifier({
    kinds: createForeignKinds(config, {
      keysOf: ({ issuer }) => keysOf(issuer, undefined),
      introspectorOf: ({ issuer, introspection }) =>
        introspection && { issuer, introspect: (token, hash) => introspect({ issuer, token, hash }) },
    }),
    cache: undefined,
    metrics: { tokenCache: () => undefined },
    clock,
  });
}

/** A token without `exp` is known to be active for so long. */
function answerTtlOf(issuers: readonly IssuerConfig[], name: string): number {
  return issuers.find(({ issuer }) => issuer === name)?.introspection?.cacheTtl ?? 0;
}
