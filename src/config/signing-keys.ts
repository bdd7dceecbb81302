import { createPrivateKey } from 'node:crypto';
import { JwkRejection } from '../jwk/jwk-rejection.js';
import { importPublicJwk } from '../jwk/import-key.js';
import { type Content, type Jwk, readJson } from './key-material.js';
import type { ConfigFiles } from './files.js';
import { asTree } from './config-value.js';

/** Algorithms that Portcullis signs with. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;

/** One of them. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** What `portcullis keys generate` prints. */
export interface SigningKeySet {
  /** The `kid` of the private key that signs. */
  readonly active_kid: string;
  /** Secret. Each with `kid` and `alg`. */
  readonly private_keys: readonly Jwk[];
  /** What verifiers are given: those of the private keys, and retired ones for as long as their tokens live. */
  readonly public_keys: readonly Jwk[];
}

/**
 * Reads and checks a signing key set: every private key can sign, its public half is published under the same kid, and
 * nothing published is private.
 *
 * @param source JSON text, or the path of a file
 */
export function readSigningKeys(source: string, files: ConfigFiles): Content<SigningKeySet> {
  const json = readJson(source, files);
  if ('problem' in json) return json;
  const { active_kid: active, private_keys: privates, public_keys: publics } = asTree(json.value) ?? {};
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

function isKeyList(value: unknown): value is Jwk[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((key) => typeof asTree(key)?.kid === 'string')
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
    const { x, y, n, e } = createPrivateKey({ key: { ...key }, format: 'jwk' }).export({ format: 'jwk' });
    const same = (name: string, value: unknown): boolean => published[name] === value;
    return same('x', x) && same('y', y) && same('n', n) && same('e', e);
  } catch {
    return false;
  }
}
