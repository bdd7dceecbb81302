import { createTokenVerifier } from '../authz/token/verifier.js';
import { createJwtKind } from '../authz/token/jwt.js';
import { Denial } from '../authz/denial.js';
import { authOf, type Auth } from '../fronts/node/auth.js';
import { parseStaticKeys, StaticIssuerKeys } from '../jwks/static-keys.js';
import { systemClock } from '../ports.js';
import { SIGNING_ALGORITHMS } from '../signing/key-set.js';
import { TokenRefusedError } from './token-refused-error.js';

/** What an identity token is held to, in a service behind the gate. */
export interface IdentityTokenRules {
  /** `tokens.issuer` of the gate. */
  readonly issuer: string;
  /** `identity.token.audience` of the gate. */
  readonly audience: string;
  /** The gate's public keys, as its `/.well-known/jwks.json` gives them. */
  readonly jwks: { readonly keys: readonly object[] };
  /** How far clocks may differ, seconds. Default: 30 */
  readonly clockTolerance?: number | undefined;
}

const MAX_TOKEN_BYTES = 16_384;
/** The longest that a gate issues them for, milliseconds. */
const MAX_LIFETIME_MS = 3_600_000;
const DEFAULT_TOLERANCE_S = 30;

/**
 * Verifies the identity token that a gate has put on a request (`identity.token`): signature, issuer, audience, times. Fetches
 * nothing. A service that wants the keys fetched and refreshed creates a gate of its own, with the gate before it as issuer.
 *
 * @param token the header's value, untrusted: whoever can reach the service around the gate can send it anything
 * @returns the caller; `claims.origin_iss` is the issuer of the client's own token
 * @throws TokenRefusedError; KeySourceError for keys that cannot be used
 * @see RFC 9068
 */
export async function verifyIdentityToken(
  token: string,
  { issuer, audience, jwks, clockTolerance = DEFAULT_TOLERANCE_S }: IdentityTokenRules,
): Promise<Auth> {
  const rules = {
    audiences: new Set([audience]),
    algorithms: new Set(SIGNING_ALGORITHMS),
    profile: 'rfc9068' as const,
    clockToleranceMs: clockTolerance * 1000,
    maxLifetimeMs: MAX_LIFETIME_MS,
    keys: new StaticIssuerKeys(issuer, parseStaticKeys({ kind: 'jwks', jwks }), 1),
  };
  const verifier = createTokenVerifier({
    kinds: [createJwtKind({ issuers: new Map([[issuer, rules]]), maxTokenBytes: MAX_TOKEN_BYTES })],
    cache: undefined,
    metrics: { tokenCache: () => undefined },
    clock: systemClock,
  });
  try {
    return authOf(await verifier.verify(token, systemClock.now()));
  } catch (error) {
    throw error instanceof Denial ? new TokenRefusedError(error) : error;
  }
}
