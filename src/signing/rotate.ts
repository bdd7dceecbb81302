import type { SigningKeySet } from './key-set.js';

/** When a public key was retired, seconds since the epoch: a member of the file, never published. */
const RETIRED_AT = 'retired_at';

/** What a rotation is made of. */
export interface RotationOptions {
  /** A set of one key, from generateSigningKeys(). */
  readonly next: SigningKeySet;
  /** Seconds since the epoch. */
  readonly nowS: number;
  /** Public keys that were retired longer ago than this are dropped, seconds. */
  readonly keepS: number;
}

/**
 * Replaces the active key of a set. The old public keys stay, marked with the time of their retirement; private keys that
 * sign no longer are dropped, so that they cannot leak from this file. Public keys retired longer than `keepS` ago go.
 *
 * @param set passed by parseSigningKeySet()
 * @throws RangeError where the new key's `kid` is taken
 */
export function rotateKeySet(set: SigningKeySet, { next, nowS, keepS }: RotationOptions): SigningKeySet {
  if (set.public_keys.some(({ kid }) => kid === next.active_kid))
    throw new RangeError('the kid of the new key is taken');
  const retired = set.public_keys
    .map((key) => (typeof key[RETIRED_AT] === 'number' ? key : { ...key, [RETIRED_AT]: nowS }))
    .filter((key) => nowS - (key[RETIRED_AT] as number) <= keepS);
  return { ...next, public_keys: [...next.public_keys, ...retired] };
}
