import type { SignatureAlgorithm } from '../../jwk/types.js';
import type { IssuerKeys } from '../../jwks/types.js';
import type { VerifiedToken } from '../types.js';

/** Which tokens count as access tokens: any that is not plainly something else, or RFC 9068 to the letter. */
export type TokenProfile = 'compatible' | 'rfc9068';

/** What an issuer's tokens are held to, from its configuration. */
export interface TokenRules {
  /** At least one must be in `aud`, byte for byte. */
  readonly audiences: ReadonlySet<string>;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly profile: TokenProfile;
  readonly clockToleranceMs: number;
  /** Neither exp - iat nor what is left of it may be longer. */
  readonly maxLifetimeMs: number;
}

/** An issuer whose tokens are accepted. */
export interface TokenIssuer extends TokenRules {
  readonly keys: IssuerKeys;
}

/** Verifies access tokens of the configured issuers. */
export interface TokenVerifier {
  /**
   * Verifies a token: form, header, issuer, key, signature, claims, in this order. Does not look at scopes, the sender
   * constraint or revocation.
   *
   * @param token as the client sent it; untrusted
   * @param hash from `hashToken`, of this very token
   * @param nowMs milliseconds since the epoch
   * @returns what was proved; a promise only where the issuer's keys have to be waited for
   * @throws Denial with one of the token denials, or `keys_unavailable`
   */
  verify(token: string, hash: string, nowMs: number): VerifiedToken | Promise<VerifiedToken>;
}
