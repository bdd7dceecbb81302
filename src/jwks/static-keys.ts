import { importPem, importSecret } from '../jwk/import-key.js';
import { JwkRejection, type JwkRejectionCode } from '../jwk/jwk-rejection.js';
import type { VerificationKey } from '../jwk/types.js';
import { KeySetError } from './key-set-error.js';
import { KeySet, parseKeySet } from './key-set.js';
import type { StaticKeyEntry, StaticSource } from './key-source.js';
import type { IssuerKeys } from './types.js';

/** One thing that is wrong with configured keys. */
export interface KeySourceProblem {
  /** Below the issuer's entry, such as `['keys', 0, 'pem']`. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what is allowed; never key material. */
  readonly message: string;
}

/** Configured keys that cannot be used: all problems at once. */
export class KeySourceError extends Error {
  override readonly name = 'KeySourceError';
  /** @param problems at least one */
  constructor(readonly problems: readonly KeySourceProblem[]) {
    super(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  }
}

/** Keys that never change while the configuration does not. */
export class StaticIssuerKeys implements IssuerKeys {
  /**
   * @param issuer from the configuration
   * @param set the keys
   * @param generation unlike that of any other set
   */
  constructor(
    readonly issuer: string,
    readonly set: KeySet,
    readonly generation: number,
  ) {}

  /** @returns true */
  isUsable(): boolean {
    return true;
  }

  /** @see IssuerKeys.find */
  find(kid: string | undefined, alg: string): readonly VerificationKey[] {
    return this.set.find(kid, alg);
  }
}

/**
 * Reads configured keys. An inline set follows the rules of fetched ones; an entry of a `keys` list without kid is
 * tried for tokens of any kid, because the operator said that this is the issuer's key.
 *
 * @param source from the configuration, trusted
 * @returns the keys
 * @throws KeySourceError with every problem
 */
export function parseStaticKeys(source: StaticSource): KeySet {
  return source.kind === 'jwks' ? inlineSet(source.jwks) : listedKeys(source.keys);
}

function inlineSet(jwks: object): KeySet {
  try {
    return parseKeySet(jwks);
  } catch (error) {
    if (error instanceof KeySetError) throw new KeySourceError([{ path: ['jwks'], message: error.message }]);
    throw error;
  }
}

function listedKeys(entries: readonly StaticKeyEntry[]): KeySet {
  const keys: VerificationKey[] = [];
  const problems: KeySourceProblem[] = [];
  entries.forEach((entry, index) => {
    try {
      keys.push(importEntry(entry));
    } catch (error) {
      if (!(error instanceof JwkRejection)) throw error;
      const path = ['keys', index, 'secret' in entry ? 'secret' : 'pem'];
      problems.push({ path, message: describeRejection(error.code) });
    }
  });
  if (entries.length === 0) problems.push({ path: ['keys'], message: 'at least one key is needed' });
  if (problems.length > 0) throw new KeySourceError(problems);
  return new KeySet(keys, { unnamedMatchAnyKid: true });
}

function importEntry(entry: StaticKeyEntry): VerificationKey {
  const { kid } = entry;
  return 'secret' in entry
    ? importSecret(entry.secret, entry.alg, { kid })
    : importPem(entry.pem, entry.alg, { kid });
}

const REJECTIONS: Partial<Record<JwkRejectionCode, string>> = {
  private_key: 'holds a private key; give the public key (SubjectPublicKeyInfo, "BEGIN PUBLIC KEY")',
  unsupported_pem: 'is not one PEM public key (SubjectPublicKeyInfo, "BEGIN PUBLIC KEY")',
  invalid_key: 'is not a valid public key',
  algorithm_mismatch: 'the key is of another type or curve than alg needs',
  weak_key:
    'the key is too weak; RSA needs 2048 to 8192 bits, an odd exponent from 65537, and no fingerprint of CVE-2017-15361',
  weak_secret:
    'the secret is too short; it must be as long as the hash: 32, 48 or 64 bytes for HS256, HS384, HS512',
  unsupported_curve: 'the curve is not supported; P-256, P-384, P-521 and Ed25519 are',
  bad_kid: 'kid must be a string of at most 256 characters',
};

function describeRejection(code: JwkRejectionCode): string {
  return REJECTIONS[code] ?? `the key cannot be used (${code})`;
}
