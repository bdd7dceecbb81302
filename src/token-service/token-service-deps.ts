import type { ProofKeys } from '../authz/dpop/proof-keys.js';
import type { KnownRevocations } from '../authz/stages/check-revocation.js';
import type { AskIntrospection } from '../introspections.js';
import type { KeySource } from '../jwks/key-source.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { Clock, Logger } from '../ports.js';
import type { ReplayStore } from '../stores/replay-store.js';
import type { AdminParts } from './admin/router.js';
import type { TokenEndpointParts } from './endpoint/token.js';
import type { ClientKeys } from './grants/jwt-bearer.js';
import type { IssuedRevocations } from './own-tokens.js';
import type { TokenStore } from './store.js';

/** What outlives a configuration, or is borrowed. */
export interface TokenServiceDeps {
  readonly store: TokenStore;
  /** Of DPoP proofs. */
  readonly replay: ReplayStore;
  /** Of the `jti` of assertions, which live longer. */
  readonly assertions: ReplayStore;
  readonly proofKeys: ProofKeys;
  readonly revocations: IssuedRevocations;
  /** Of tokens that others issued. */
  readonly known: KnownRevocations;
  /** undefined: `tokens.clients` is not configured. */
  readonly clientKeys: ClientKeys | undefined;
  /** The keys of an issuer; source undefined: those of the entry of `issuers`. */
  readonly keysOf: (issuer: string, source: KeySource | undefined) => IssuerKeys;
  /** Asks an issuer of this very configuration about a token. */
  readonly introspect: AskIntrospection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: TokenEndpointParts['metrics'] & AdminParts['metrics'];
}
