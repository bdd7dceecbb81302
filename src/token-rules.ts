import type { TokenRules } from './authz/token/types.js';
import type { IssuerConfig } from './config/config.js';

/**
 * What tokens of an issuer are held to, wherever they are verified: at a Check, and as subject or actor of an exchange.
 *
 * @param issuer of the configuration
 */
export function tokenRulesOf(issuer: IssuerConfig): TokenRules {
  return {
    audiences: new Set(issuer.audiences),
    algorithms: new Set(issuer.algorithms),
    profile: issuer.profile,
    clockToleranceMs: issuer.clockTolerance,
    maxLifetimeMs: issuer.maxLifetime,
  };
}
