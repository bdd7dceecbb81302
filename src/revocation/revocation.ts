/** What is revoked, in the words of the admin API. Nothing here knows where it is kept. */

/** What a revocation names. `client` is a client id; `token` one token, by the hash of its text. */
export type RevocationKind = 'jti' | 'sid' | 'sub' | 'client' | 'token';

const SOURCES = ['admin', 'logout', 'event', 'revoke'] as const;
/** Who asked for a revocation: a metric label. */
export type RevocationSource = (typeof SOURCES)[number];

/** Every source, for metrics that begin at zero. */
export const REVOCATION_SOURCES: readonly RevocationSource[] = SOURCES;

/** What a revocation applies to. Two with the same target are one. */
export interface RevocationTarget {
  readonly kind: RevocationKind;
  /** Issuer identifier. Empty for a token that names no issuer. */
  readonly issuer: string;
  /** The claim's value; for `token` the base64url SHA-256 that `hashForRevocation` makes. */
  readonly value: string;
  /** `sid` only: tokens of this subject alone. */
  readonly subject?: string | undefined;
}

/** A revocation as it is kept. It never holds the text of a token. */
export interface Revocation extends RevocationTarget {
  /** Sorts by the time of creation. */
  readonly id: string;
  /** `token` only: the `jti` that the token claimed, which is revoked with it. */
  readonly jti?: string | undefined;
  /** `sub` and `client`: tokens with an `iat` up to this one, seconds since the epoch. Others: undefined, any `iat`. */
  readonly beforeS?: number | undefined;
  /** When it ends, as the operator reads it, seconds since the epoch. */
  readonly expiresAtS: number;
  /** Until when it counts: later than `expiresAtS` by the clock tolerance that a token would still be given. */
  readonly heldUntilS: number;
  readonly createdAtMs: number;
  readonly source: RevocationSource;
  /** The operator's words. */
  readonly reason?: string | undefined;
}

/** Milliseconds in base 36, padded so that text order is time order for the next three thousand years. */
const TIME_DIGITS = 9;

/**
 * Makes an id that sorts by time.
 *
 * @param random text of the caller's random source, unique by itself
 */
export function createRevocationId(createdAtMs: number, random: string): string {
  return createdAtMs.toString(36).padStart(TIME_DIGITS, '0') + random;
}

/**
 * Joins two revocations of one target: the later end, and the later `before`. The first one's id, age and source stay.
 *
 * @param first the one that is there
 * @param second the new one, of the same target
 */
export function mergeRevocations(first: Revocation, second: Revocation): Revocation {
  return {
    ...first,
    jti: first.jti ?? second.jti,
    beforeS: laterOf(first.beforeS, second.beforeS),
    expiresAtS: Math.max(first.expiresAtS, second.expiresAtS),
    heldUntilS: Math.max(first.heldUntilS, second.heldUntilS),
    reason: second.reason ?? first.reason,
  };
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}
