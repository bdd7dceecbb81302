/** Composition: the grants that one configuration allows at the token endpoint. */
import type { Config, TokensConfig, TokenServiceConfig } from '../config/config.js';
import type { Authenticator } from './authenticator.js';
import { createConfiguredTokenExchange } from './configured-token-exchange.js';
import { GRANT_TYPES, TOKEN_PATHS } from './endpoint/token.js';
import { createClientCredentialsGrant } from './grants/client-credentials.js';
import type { Grant } from './grants/grant.js';
import { createJwtBearerGrant } from './grants/jwt-bearer.js';
import { createTrustRules } from './grants/trusted-issuers.js';
import type { JudgeOwnToken } from './own-tokens.js';
import type { TokenServiceDeps } from './token-service-deps.js';

/** The section `tokens` of a configuration that has the service. */
type ServedTokens = TokensConfig & { readonly service: TokenServiceConfig };

/** What the grants are built of. */
export interface GrantDeps extends TokenServiceDeps {
  readonly authenticator: Authenticator;
  readonly judgeOwnToken: JudgeOwnToken;
}

/** @returns the grants by their `grant_type`; only those that `tokens.grants` lists */
export function createGrants(config: Config, deps: GrantDeps): ReadonlyMap<string, Grant> {
  const tokens = config.tokens as ServedTokens;
  const create = {
    client_credentials: () => createClientCredentialsGrant(deps.authenticator),
    jwt_bearer: () => createJwtBearer(tokens, deps),
    token_exchange: () => createConfiguredTokenExchange(config, tokens, deps),
  };
  return new Map(tokens.service.grants.map((name) => [GRANT_TYPES[name], create[name]()]));
}

function createJwtBearer(
  { issuer, service }: ServedTokens,
  { authenticator, assertions, clock, store, clientKeys, keysOf }: GrantDeps,
): Grant {
  const base = issuer.replace(/\/$/, '');
  const rules = service.trust.map(({ source, ttl, ...rule }) => ({
    ...rule,
    keys: keysOf(rule.issuer, source),
    ttlMs: ttl,
  }));
  return createJwtBearerGrant({
    clients:
      service.clients === undefined || clientKeys === undefined
        ? undefined
        : { claim: service.clients.claim, keys: clientKeys },
    trust: createTrustRules(rules, clock),
    audiences: [issuer, ...TOKEN_PATHS.map((path) => base + path)],
    authenticator,
    replay: assertions,
    clock,
    isTokenId: async (name) => (await store.get(name)) !== undefined,
  });
}
