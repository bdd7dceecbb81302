import type { VerificationKey } from '../jwk/types.js';
import type { JsonObject } from '../ports.js';

/** The keys of one issuer: static ones, or a fetched set that is kept fresh in the background. */
export interface IssuerKeys {
  /** The issuer identifier as configured; compared byte for byte with `iss`. */
  readonly issuer: string;

  /**
   * Grows whenever the usable keys change, and stays when a refetch brings the same ones. What was verified under
   * another generation must be verified again.
   */
  readonly generation: number;

  /**
   * May what was verified under the present generation be believed without asking again?
   * False before the first fetch, past `staleIfError`, and always where the set is fetched again for every token.
   *
   * @param nowMs milliseconds since the epoch
   */
  isUsable(nowMs: number): boolean;

  /**
   * The keys that may have signed a token with this header, at most four.
   * An unknown `kid` refetches, once per cooldown.
   *
   * @param kid from the token's header, untrusted
   * @param alg from the token's header, already found in the issuer's list
   * @param claims of the token, which nobody has verified: they may choose among configured keys, and nothing else
   * @returns the keys, or a promise of them where the issuer has to be asked; empty: no such key
   * @throws KeysUnavailableError when there is no set to decide with
   */
  find(
    kid: string | undefined,
    alg: string,
    claims: JsonObject,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;

  /**
   * The keys of the client that signs for the issuer; absent: the issuer has one set for all.
   *
   * @param claims of a token that nobody has verified: they may choose among configured keys, and nothing else
   * @returns undefined: no client is known by these claims
   */
  forClaims?(claims: JsonObject): IssuerKeys | undefined;

  /** What the operator says of the client that signs with these keys: session parameters. Absent: there are none. */
  readonly session?: JsonObject;
}

/** There is no key set to decide with: never fetched, or older than `staleIfError`. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  /**
   * @param issuer the issuer concerned, from the configuration
   * @param retryAfterS whole seconds until asking again makes sense
   */
  constructor(
    readonly issuer: string,
    readonly retryAfterS: number,
    options?: ErrorOptions,
  ) {
    super(`no keys for issuer ${issuer}`, options);
  }
}
