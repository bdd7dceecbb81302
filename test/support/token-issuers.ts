import { createJwtKind } from '../../src/authz/token/jwt.js';
import { TokenCache } from '../../src/authz/token/token-cache.js';
import type { TokenIssuer } from '../../src/authz/token/jwt-issuer.js';
import type { TokenVerifier } from '../../src/authz/token/types.js';
import { createTokenVerifier } from '../../src/authz/token/verifier.js';
import type { VerifiedToken } from '../../src/authz/types.js';
import { ASYMMETRIC_ALGORITHMS } from '../../src/jwk/types.js';
import { AUDIENCE, NOW_MS, TestIssuerKeys } from './tokens.js';

/** An issuer under the defaults of the configuration, but for what is given. */
export function tokenIssuer(over: Partial<TokenIssuer> = {}): TokenIssuer {
  return {
    keys: new TestIssuerKeys(),
    audiences: new Set([AUDIENCE]),
    algorithms: new Set(ASYMMETRIC_ALGORITHMS),
    profile: 'compatible',
    clockToleranceMs: 30_000,
    maxLifetimeMs: 86_400_000,
    ...over,
  };
}

/** A verifier with a clock that stands still and a record of what its cache did. */
export interface TestVerifier {
  readonly verifier: TokenVerifier;
  readonly clock: { nowMs: number };
  readonly cacheOutcomes: string[];
  /** Verifies at the clock's time. */
  readonly verify: (token: string) => VerifiedToken | Promise<VerifiedToken>;
}

/** @param cache undefined: off */
export function testVerifier(issuers: readonly TokenIssuer[], cache?: TokenCache): TestVerifier {
  const clock = { nowMs: NOW_MS };
  const cacheOutcomes: string[] = [];
  const verifier = createTokenVerifier({
    kinds: [
      createJwtKind({
        issuers: new Map(issuers.map((issuer) => [issuer.keys.issuer, issuer])),
        maxTokenBytes: 8192,
      }),
    ],
    cache,
    metrics: { tokenCache: (outcome) => void cacheOutcomes.push(outcome) },
    clock: { now: () => clock.nowMs },
  });
  return {
    verifier,
    clock,
    cacheOutcomes,
    verify: (token) => verifier.verify(token, clock.nowMs),
  };
}

/** A cache that nothing is driven out of. */
export function testCache(): TokenCache {
  return new TokenCache({ maxEntries: 1000, maxBytes: 16 * 1024 * 1024 });
}
