/**
 * Portcullis as a library: a gate in this process, and checks of what it verified. The types here need no types of Node.
 * The server itself is `portcullis/server`; adapters for frameworks are `portcullis/express` and its like.
 *
 * @packageDocumentation
 */
export { createGate } from './library/create-gate.js';
export type {
  Decider,
  DPoPUse,
  Gate,
  GateOptions,
  Introspection,
  KeySetReport,
  LogoutToken,
  MetricsRegistry,
  RevocationResult,
  TokenRequirements,
  ValidatedProof,
  ValidatedToken,
} from './library/gate-types.js';
export type { OneOrMore, ProtectOptions } from './library/protect-options.js';
export type { Auth, GateAllow, GateDecision, GateDeny } from './fronts/node/auth.js';
export type { GateRequest } from './fronts/node/front.js';
export { TokenRefusedError } from './library/token-refused-error.js';
export { verifyIdentityToken, type IdentityTokenRules } from './library/verify-identity-token.js';
export {
  ForbiddenError,
  hasRole,
  hasScopes,
  requireRole,
  requireScopes,
  type HasClaims,
  type HasScopes,
  type RoleClaims,
  type ScopeMode,
} from './token-checks.js';
export type { ConfigInput } from './config/config-input.js';
export { ConfigError, type Problem } from './config/problems.js';
export { DENIALS, type DenialCode, type DenialEntry } from './authz/denial.js';
export { silentLogger, type JsonObject, type Logger } from './ports.js';
