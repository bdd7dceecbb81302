/** Parts of a gate that a configuration decides on alone. */
import { createIdentityTokenIssuer, type IdentityTokenIssuer } from '../authz/identity/token.js';
import type { CompileCondition } from '../authz/policy/compile.js';
import { TokenCache } from '../authz/token/token-cache.js';
import type { Config } from '../config/config.js';
import { createJwtSigner } from '../signing/signer.js';

/** Loads CEL where a policy has a condition. @returns undefined where none has */
export async function loadConditions({ policies }: Config): Promise<CompileCondition | undefined> {
  if (!Object.values(policies).some((policy) => policy.when !== undefined)) return undefined;
  return (await import('../authz/policy/condition.js')).compileCondition;
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
