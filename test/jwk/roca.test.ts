import { createPublicKey, generatePrimeSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { importPem, importPublicJwk } from '../../src/jwk/import-key.js';
import { importPemFile } from '../../src/jwk/import-pem-file.js';
import { JwkRejection } from '../../src/jwk/jwk-rejection.js';
import { isRocaModulus } from '../../src/jwk/roca.js';
import { parseKeySet } from '../../src/jwks/key-set.js';
import { athOf, BOUND_TOKEN, codeOf as denialCodeOf, mintProof, verifyOnce } from '../support/proofs.js';
import { jwkThumbprint } from '../../src/jwk/thumbprint.js';
import { testKey } from '../support/tokens.js';

const isPrime = (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
};

/** The product of the first 126 primes, as used for keys of 2048 bits. */
const M = Array.from({ length: 702 }, (_, n) => n)
  .filter(isPrime)
  .reduce((product, prime) => product * BigInt(prime), 1n);

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let bit = exponent; bit > 0n; bit >>= 1n) {
    if (bit & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

const random = (bytes: number): bigint => BigInt(`0x${randomBytes(bytes).toString('hex')}`);

/** k·M + (65537^a mod M), of 1024 bits. That it is prime matters to the key's owner, not to the fingerprint. */
function rocaFactor(): bigint {
  const low = 1n << 1023n;
  const k = (low + (low >> 1n)) / M + random(5);
  return k * M + power(65537n, random(20), M);
}

const bufferOf = (n: bigint): Buffer => {
  const hex = n.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
};
const modulus = bufferOf(rocaFactor() * rocaFactor());
const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' };
const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();

function codeOf(run: () => unknown): unknown {
  try {
    run();
    return 'taken';
  } catch (error) {
    return error instanceof JwkRejection ? error.code : error;
  }
}

describe('isRocaModulus() [CVE-2017-15361]', () => {
  test('finds the fingerprint, whatever the parameters', () => {
    expect(modulus).toHaveLength(256);
    for (let i = 0; i < 20; i++) expect(isRocaModulus(bufferOf(rocaFactor() * rocaFactor()))).toBe(true);
  });

  test('does not find it in other keys', () => {
    for (let i = 0; i < 200; i++) expect(isRocaModulus(bufferOf(random(256) | 1n))).toBe(false);
    const primes = [generatePrimeSync(1024, { bigint: true }), generatePrimeSync(1024, { bigint: true })];
    expect(isRocaModulus(bufferOf(primes[0]! * primes[1]!))).toBe(false);
  });

  test.each<[string, () => unknown]>([
    ['as a JWK', () => importPublicJwk(jwk)],
    ['as PEM', () => importPem(pem, 'RS256')],
    ['in a file of PEM blocks', () => importPemFile(pem)],
  ])('such a key is refused %s', (_, run) => {
    expect(codeOf(run)).toBe('weak_key');
  });

  test('such a key is left out of a key set', () => {
    const set = parseKeySet({ keys: [jwk, testKey('RS256').jwk] });
    expect(set.keys).toHaveLength(1);
    expect(set.skipped).toEqual({ weak_key: 1 });
  });

  test('such a key signs no proof', () => {
    const proof = mintProof({ key: testKey('RS256'), header: { jwk } });
    const token = { hash: athOf(BOUND_TOKEN), confirmation: { jkt: jwkThumbprint(jwk) } };
    expect(denialCodeOf(() => verifyOnce(proof, { token }))).toBe('dpop_proof_key');
  });
});
