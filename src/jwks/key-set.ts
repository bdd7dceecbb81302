import { createHash } from 'node:crypto';
import { importPublicJwk } from '../jwk/import-key.js';
import { JwkRejection, type JwkRejectionCode } from '../jwk/jwk-rejection.js';
import type { VerificationKey } from '../jwk/types.js';
import type { JsonObject } from '../ports.js';
import { KeySetError } from './key-set-error.js';

/** A published set longer than this is cut: importing a key costs, and so does trying one. */
export const MAX_KEYS = 100;
/** The most keys one token is tried against. */
const MAX_CANDIDATES = 4;

/** Why keys of a set are not used, and how many for each reason. */
export type SkippedKeys = Readonly<Partial<Record<JwkRejectionCode | 'over_limit', number>>>;

/** No key fits. */
export const NO_KEYS: readonly VerificationKey[] = Object.freeze([]);

/** How keys are looked up. */
export interface KeySetOptions {
  readonly skipped?: SkippedKeys;
  /**
   * Keys without a kid are tried for every kid. For keys that the operator listed by hand; a published key without a
   * kid verifies only tokens without one.
   */
  readonly unnamedMatchAnyKid?: boolean;
}

/** The usable keys of an issuer at one moment. Immutable. */
export class KeySet {
  readonly skipped: SkippedKeys;
  /** Equal for equal keys, in whatever order they were published. */
  readonly fingerprint: string;
  readonly #byKid = new Map<string, VerificationKey[]>();
  readonly #unnamed: readonly VerificationKey[];

  /** @param keys usable ones, in the order in which they are tried */
  constructor(
    readonly keys: readonly VerificationKey[],
    { skipped = {}, unnamedMatchAnyKid = false }: KeySetOptions = {},
  ) {
    this.skipped = skipped;
    this.fingerprint = fingerprintOf(keys);
    this.#unnamed = unnamedMatchAnyKid ? keys.filter((key) => key.kid === undefined) : NO_KEYS;
    for (const key of keys) {
      if (key.kid !== undefined) this.#byKid.set(key.kid, [...(this.#byKid.get(key.kid) ?? []), key]);
    }
    for (const named of this.#byKid.values()) named.push(...this.#unnamed);
  }

  /**
   * The keys that may have signed a token with this header, at most four. Verifies nothing.
   *
   * @param kid untrusted; undefined: every key is a candidate
   * @param alg untrusted; only keys that may verify it are returned
   */
  find(kid: string | undefined, alg: string): readonly VerificationKey[] {
    const pool = kid === undefined ? this.keys : (this.#byKid.get(kid) ?? this.#unnamed);
    const fitting = pool.filter((key) => (key.algorithms as readonly string[]).includes(alg));
    return fitting.length > MAX_CANDIDATES ? fitting.slice(0, MAX_CANDIDATES) : fitting;
  }
}

/**
 * Reads a published key set. Keys that are weak, private, symmetric or meant for something else are left out and
 * counted, as are those past the hundredth; duplicate kids are kept. A set without one usable key is refused: taken at its
 * word it would shut out everybody, and an issuer that is being reconfigured does answer like that.
 *
 * @param jwks untrusted
 * @returns the usable keys
 * @throws KeySetError `invalid_key_set`, `no_usable_keys`
 * @see RFC 7517 section 5
 */
export function parseKeySet(jwks: object): KeySet {
  const set = readKeySet(jwks);
  if (set.keys.length === 0) throw noUsableKeys(set);
  return set;
}

/**
 * Why a set without one usable key is refused.
 *
 * @param set empty
 */
export function noUsableKeys({ skipped }: KeySet): KeySetError {
  const count = Object.values(skipped).reduce((sum, one) => sum + one, 0);
  return new KeySetError('no_usable_keys', `none of ${count} keys is usable (${describeSkipped(skipped)})`);
}

/**
 * The same as parseKeySet(), but a set without one usable key is returned: whether it is believed is for the caller.
 *
 * @param jwks untrusted
 * @throws KeySetError `invalid_key_set`
 */
export function readKeySet(jwks: object): KeySet {
  const published: unknown = 'keys' in jwks && Object.hasOwn(jwks, 'keys') ? jwks.keys : undefined;
  if (!Array.isArray(published)) throw new KeySetError('invalid_key_set', 'the key set has no array "keys"');
  const keys: VerificationKey[] = [];
  const skipped: Partial<Record<JwkRejectionCode | 'over_limit', number>> = {};
  const excess = published.length - MAX_KEYS;
  if (excess > 0) skipped.over_limit = excess;
  for (const jwk of published.slice(0, MAX_KEYS)) {
    const key = importOrReason(jwk);
    if (typeof key === 'string') skipped[key] = (skipped[key] ?? 0) + 1;
    else keys.push(key);
  }
  return new KeySet(keys, { skipped });
}

/**
 * Writes a set of public keys as a JWK set: what is needed to verify, and nothing else that was published.
 *
 * @param set of public keys
 * @see RFC 7517 section 5
 */
export function serializeKeySet(set: KeySet): JsonObject {
  return {
    keys: set.keys.map(({ kid, algorithms, keyObject }) => ({
      ...keyObject.export({ format: 'jwk' }),
      ...(kid === undefined ? {} : { kid }),
      ...(algorithms.length === 1 ? { alg: algorithms[0] } : {}),
    })),
  };
}

/**
 * Says in words what was left out.
 *
 * @param skipped counts by reason
 */
export function describeSkipped(skipped: SkippedKeys): string {
  const parts = Object.entries(skipped).map(([reason, count]) => `${reason}: ${count}`);
  return parts.length === 0 ? 'none skipped' : parts.join(', ');
}

function importOrReason(jwk: unknown): VerificationKey | JwkRejectionCode {
  try {
    return importPublicJwk(jwk);
  } catch (error) {
    if (error instanceof JwkRejection) return error.code;
    throw error;
  }
}

function fingerprintOf(keys: readonly VerificationKey[]): string {
  const lines = keys.map(({ kid, algorithms, keyObject }) => {
    const bytes =
      keyObject.type === 'secret' ? keyObject.export() : keyObject.export({ format: 'der', type: 'spki' });
    return JSON.stringify([kid ?? null, algorithms, createHash('sha256').update(bytes).digest('base64')]);
  });
  return createHash('sha256').update(lines.sort().join('\n')).digest('base64url');
}
