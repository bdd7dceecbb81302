import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { importPublicJwk } from '../jwk/import-key.js';
import { JwkRejection } from '../jwk/jwk-rejection.js';

/** Algorithms that Portcullis signs with. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;

/** One of them. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

type Jwk = Readonly<Record<string, unknown>>;

/** What `portcullis keys generate` prints. */
export interface SigningKeySet {
  /** The `kid` of the private key that signs. */
  readonly active_kid: string;
  /** Secret. Each with `kid` and `alg`. */
  readonly private_keys: readonly Jwk[];
  /** What verifiers are given: those of the private keys, and retired ones for as long as their tokens live. */
  readonly public_keys: readonly Jwk[];
}

/** A JSON Web Key Set (RFC 7517 5) of public keys. */
export interface PublishedKeySet {
  readonly keys: readonly Jwk[];
}

/**
 * Checks a signing key set: every private key can sign, its public half is published under the same kid, and nothing
 * published is private.
 *
 * @param value parsed JSON of the operator's
 * @returns the set, or what is wrong with it in words that follow its name and quote no value
 */
export function parseSigningKeySet(
  value: unknown,
): { readonly value: SigningKeySet } | { readonly problem: string } {
  const { active_kid: active, private_keys: privates, public_keys: publics } = asObject(value) ?? {};
  if (typeof active !== 'string' || !isKeyList(privates) || !isKeyList(publics)) {
    return {
      problem:
        'must be a key set as `portcullis keys generate` prints it, with active_kid, private_keys and public_keys',
    };
  }
  const set = { active_kid: active, private_keys: privates, public_keys: publics };
  const problem = problemOf(set);
  return problem === undefined ? { value: set } : { problem };
}

/** Private members are left behind one by one, not by trusting the file. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg'] as const;

/**
 * The public keys of a set, as they are published.
 *
 * @param set passed by parseSigningKeySet()
 * @returns frozen; `use` is `sig`, and no other member than those of a public key is there
 */
export function publishedKeysOf(set: SigningKeySet): PublishedKeySet {
  const keys = set.public_keys.map((jwk) => {
    const members = PUBLIC_MEMBERS.filter((member) => jwk[member] !== undefined);
    return Object.freeze({
      ...Object.fromEntries(members.map((member) => [member, jwk[member]])),
      use: 'sig',
    });
  });
  return Object.freeze({ keys: Object.freeze(keys) });
}

function asObject(value: unknown): Jwk | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Jwk) : undefined;
}

function isKeyList(value: unknown): value is Jwk[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((key) => typeof asObject(key)?.kid === 'string')
  );
}

function problemOf(set: SigningKeySet): string | undefined {
  const kids = set.public_keys.map(({ kid }) => kid);
  if (new Set(kids).size < kids.length) return 'public_keys: each kid may be there once';
  if (!set.public_keys.every(isPublishable))
    return 'public_keys: each must be a public EdDSA, ES256 or RS256 key with its alg';
  if (!set.private_keys.every((key) => canSign(key, set.public_keys))) {
    return 'private_keys: each must be a private EdDSA, ES256 or RS256 key with its alg, and its public half in public_keys under the same kid';
  }
  return set.private_keys.some(({ kid }) => kid === set.active_kid)
    ? undefined
    : 'active_kid: must name one of private_keys';
}

function isPublishable(key: Jwk): boolean {
  if (!SIGNING_ALGORITHMS.some((alg) => alg === key.alg)) return false;
  try {
    importPublicJwk(key);
    return true;
  } catch (error) {
    if (error instanceof JwkRejection) return false;
    throw error;
  }
}

function canSign(key: Jwk, publics: readonly Jwk[]): boolean {
  const published = publics.find(({ kid }) => kid === key.kid);
  if (published === undefined || published.alg !== key.alg) return false;
  try {
    // The public half is derived from the private one, so that a mixed-up file is found now and not by every upstream.
    const { x, y, n, e } = createPrivateKey({ key: key as JsonWebKey, format: 'jwk' }).export({
      format: 'jwk',
    });
    const same = (name: string, value: unknown): boolean => published[name] === value;
    return same('x', x) && same('y', y) && same('n', n) && same('e', e);
  } catch {
    return false;
  }
}
