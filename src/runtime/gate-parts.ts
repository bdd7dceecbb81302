/** Parts of a gate that a configuration decides on alone. */
import { createIdentityTokenIssuer, type IdentityTokenIssuer } from '../authz/identity/token.js';
import type { CompileCondition } from '../authz/policy/compile.js';
import { TokenCache } from '../authz/token/token-cache.js';
import type { Config } from '../config/config.js';
import type { Tracing } from '../observability/tracing/open-tracing.js';
import type { Logger } from '../ports.js';
import type { RedisAccess } from '../stores/redis-access.js';
import type { RedisConnection } from '../stores/redis-connection.js';
import { createJwtSigner } from '../signing/signer.js';

/** What is loaded only where the configuration asks for it. */
export interface OptionalParts {
  readonly redis: RedisAccess;
  /** undefined: spent proofs are remembered elsewhere. */
  readonly forReplay: RedisConnection | undefined;
  readonly compileCondition: CompileCondition | undefined;
  /** undefined: off. */
  readonly tracing: Tracing | undefined;
}

/** Loads CEL where a policy has a condition. @returns undefined where none has */
export async function loadConditions({ policies }: Config): Promise<CompileCondition | undefined> {
  if (!Object.values(policies).some((policy) => policy.when !== undefined)) return undefined;
  return (await import('../authz/policy/condition.js')).compileCondition;
}

/** Loads tracing where it is configured. @returns undefined where it is off */
export async function loadTracing({ tracing }: Config, log: Logger): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  return (await import('../observability/tracing/open-tracing.js')).openTracing(tracing, log);
}

/** @returns undefined where verified tokens are not kept */
export function createTokenCache({ tokenCache }: Config): TokenCache | undefined {
  if (tokenCache.maxEntries === 0 || tokenCache.maxBytes === 0) return undefined;
  return new TokenCache(tokenCache);
}

/** @returns undefined where no identity token is configured */
export function createIdentityTokens({ identity, tokens }: Config): IdentityTokenIssuer | undefined {
  if (identity.token === undefined || tokens === undefined) return undefined;
  const { audience, ttl } = identity.token;
  return createIdentityTokenIssuer({
    issuer: tokens.issuer,
    signer: createJwtSigner(tokens.keys),
    audience,
    ttlMs: ttl,
  });
}
