import type { SignatureAlgorithm } from '../../jwk/types.js';
import type { VerifiedToken } from '../types.js';

/** Which tokens count as access tokens: any that is not plainly something else, or RFC 9068 to the letter. */
export type TokenProfile = 'compatible' | 'rfc9068';

/** What the claims of a token are held to, whatever kind of token it is. */
export interface ClaimRules {
  /** At least one must be in `aud`, byte for byte. */
  readonly audiences: ReadonlySet<string>;
  readonly profile: TokenProfile;
  readonly clockToleranceMs: number;
  /** Neither exp - iat nor what is left of it may be longer. */
  readonly maxLifetimeMs: number;
  /** Claims that may be absent, where the kind allows it. One that is there is judged. */
  readonly optional?: { readonly aud: boolean; readonly exp: boolean };
}

/** What an issuer's JWTs are held to, from its configuration. */
export interface TokenRules extends ClaimRules {
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
}

/** Verifies access tokens of the configured kinds and issuers. */
export interface TokenVerifier {
  /**
   * Verifies a token: by its kind first, then claims and times. Does not look at scopes, the sender constraint or
   * revocation.
   *
   * @param token as the client sent it; untrusted
   * @param nowMs milliseconds since the epoch
   * @param issuers that the policy takes; undefined: all. They choose whom to ask about a token that names no issuer,
   *   and nothing else: that the token's issuer is one of them is for the authorize stage.
   * @returns what was proved; a promise only where something has to be waited for
   * @throws Denial with one of the token denials, `keys_unavailable`, or `introspection_unavailable`
   */
  verify(token: string, nowMs: number, issuers?: ReadonlySet<string>): VerifiedToken | Promise<VerifiedToken>;
}
