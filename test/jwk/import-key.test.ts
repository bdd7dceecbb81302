import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { importPem, importPublicJwk, importSecret } from '../../src/jwk/import-key.js';
import { JwkRejection, type JwkRejectionCode } from '../../src/jwk/jwk-rejection.js';
import { ASYMMETRIC_ALGORITHMS } from '../../src/jwk/types.js';
import { testKey } from '../support/tokens.js';

function rejection(run: () => unknown): JwkRejectionCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof JwkRejection) return error.code;
    throw error;
  }
}

type Jwk = Record<string, unknown>;
const jwkOf = (key: KeyObject): Jwk => ({ ...key.export({ format: 'jwk' }) });
const rsa = { ...testKey('RS256').jwk, alg: undefined } as Jwk;
const ec = { ...testKey('ES256').jwk } as Jwk;
const okp = { ...testKey('EdDSA').jwk } as Jwk;
const u = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const bytes = (text: unknown): Buffer => Buffer.from(text as string, 'base64url');
const little = (y: bigint): string => u(Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse());
const P = 2n ** 255n - 19n;

describe('importPublicJwk()', () => {
  test.each(ASYMMETRIC_ALGORITHMS)('takes a good %s key and keeps it to that algorithm', (alg) => {
    const key = importPublicJwk(testKey(alg).jwk);
    expect(key.algorithms).toEqual([alg]);
    expect(key.kid).toBe(`${alg}-1`);
    expect(key.keyObject.type).toBe('public');
  });

  test.each([
    ['RSA', rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['P-256', { ...ec, alg: undefined }, ['ES256']],
    ['Ed25519', { ...okp, alg: undefined }, ['EdDSA']],
  ])('gives a key without alg all of its family: %s', (_, jwk, algorithms) => {
    expect(importPublicJwk(jwk).algorithms).toEqual(algorithms);
  });

  test('reads alg Ed25519 as EdDSA', () => {
    expect(importPublicJwk({ ...okp, alg: 'Ed25519' }).algorithms).toEqual(['EdDSA']);
  });

  test('ignores members it does not know, certificates among them', () => {
    expect(rejection(() => importPublicJwk({ ...ec, x5c: ['x'], x5t: 1, iat: 5 }))).toBeUndefined();
  });

  test('takes key_ops with verify', () => {
    expect(rejection(() => importPublicJwk({ ...ec, use: undefined, key_ops: ['verify'] }))).toBeUndefined();
  });

  test.each<[string, unknown, JwkRejectionCode]>([
    ['nothing', undefined, 'not_an_object'],
    ['null', null, 'not_an_object'],
    ['a list', [ec], 'not_an_object'],
    ['a text', 'x', 'not_an_object'],
    ['no kty', { ...ec, kty: undefined }, 'unsupported_key_type'],
    ['kty of another type', { ...ec, kty: ['EC'] }, 'unsupported_key_type'],
    ['kty in lower case', { ...ec, kty: 'ec' }, 'unsupported_key_type'],
    ['a symmetric key', { kty: 'oct', k: u(Buffer.alloc(64)) }, 'symmetric_key'],
    ['a symmetric key in disguise', { ...rsa, k: 'AAAA' }, 'private_key'],
    ['a private EC key', { ...ec, d: 'AAAA' }, 'private_key'],
    ['a private member of null', { ...ec, d: null }, 'private_key'],
    ['a private RSA factor', { ...rsa, p: 'AAAA' }, 'private_key'],
    ['more RSA primes', { ...rsa, oth: [] }, 'private_key'],
    ['use enc', { ...ec, use: 'enc' }, 'wrong_use'],
    ['use of another type', { ...ec, use: ['sig'] }, 'wrong_use'],
    ['key_ops without verify', { ...ec, key_ops: ['sign'] }, 'wrong_use'],
    ['empty key_ops', { ...ec, key_ops: [] }, 'wrong_use'],
    ['key_ops of another type', { ...ec, key_ops: 'verify' }, 'wrong_use'],
    ['a number as kid', { ...ec, kid: 1 }, 'bad_kid'],
    ['a long kid', { ...ec, kid: 'k'.repeat(257) }, 'bad_kid'],
    ['an alg of another family', { ...ec, alg: 'RS256' }, 'algorithm_mismatch'],
    ['an alg of another curve', { ...ec, alg: 'ES384' }, 'algorithm_mismatch'],
    ['an alg for encryption', { ...rsa, alg: 'RSA-OAEP' }, 'algorithm_mismatch'],
    ['a symmetric alg', { ...rsa, alg: 'HS256' }, 'algorithm_mismatch'],
    ['alg none', { ...rsa, alg: 'none' }, 'algorithm_mismatch'],
    ['an alg of another type', { ...rsa, alg: ['RS256'] }, 'algorithm_mismatch'],
  ])('refuses %s', (_, jwk, code) => {
    expect(rejection(() => importPublicJwk(jwk))).toBe(code);
  });

  test('reads own members only', () => {
    expect(rejection(() => importPublicJwk(Object.create(ec) as object))).toBe('unsupported_key_type');
  });

  describe('RSA', () => {
    const n = bytes(rsa.n);
    const weaker = (modulusLength: number): Jwk =>
      jwkOf(generateKeyPairSync('rsa', { modulusLength }).publicKey);
    const even = Buffer.from(n);
    even[even.length - 1] = even[even.length - 1]! & 0xfe;
    const short = Buffer.from(n);
    short[0] = 0x7f;

    test.each<[string, () => Jwk, JwkRejectionCode]>([
      ['1024 bits', () => weaker(1024), 'weak_key'],
      ['2040 bits', () => weaker(2040), 'weak_key'],
      ['2047 bits in as many bytes', () => ({ ...rsa, n: u(short) }), 'weak_key'],
      ['more than 8192 bits', () => ({ ...rsa, n: u(Buffer.alloc(1025, 0xff)) }), 'weak_key'],
      ['an absurd modulus', () => ({ ...rsa, n: 'A'.repeat(100_000) }), 'malformed_member'],
      ['an even modulus', () => ({ ...rsa, n: u(even) }), 'weak_key'],
      [
        'a modulus with a leading zero',
        () => ({ ...rsa, n: u(Buffer.concat([Buffer.alloc(1), n])) }),
        'malformed_member',
      ],
      ['a modulus with padding', () => ({ ...rsa, n: `${rsa.n as string}==` }), 'malformed_member'],
      ['no modulus', () => ({ ...rsa, n: undefined }), 'malformed_member'],
      ['e = 1', () => ({ ...rsa, e: 'AQ' }), 'weak_key'],
      ['e = 3', () => ({ ...rsa, e: 'Aw' }), 'weak_key'],
      ['e = 0', () => ({ ...rsa, e: 'AA' }), 'malformed_member'],
      ['e = 65536', () => ({ ...rsa, e: 'AQAA' }), 'weak_key'],
      ['e with a leading zero', () => ({ ...rsa, e: 'AAEAAQ' }), 'malformed_member'],
      ['a huge e', () => ({ ...rsa, e: u(Buffer.from('0200000001', 'hex')) }), 'weak_key'],
      ['an e as long as n', () => ({ ...rsa, e: rsa.n }), 'weak_key'],
      ['no e', () => ({ ...rsa, e: undefined }), 'malformed_member'],
      ['e as a number', () => ({ ...rsa, e: 65537 }), 'malformed_member'],
    ])('refuses %s', (_, jwk, code) => {
      expect(rejection(() => importPublicJwk(jwk()))).toBe(code);
    });

    test('is bounded by its caller', () => {
      expect(rejection(() => importPublicJwk(rsa, { maxRsaBits: 2048 }))).toBeUndefined();
      expect(rejection(() => importPublicJwk(rsa, { maxRsaBits: 2047 }))).toBe('weak_key');
    });
  });

  describe('EC', () => {
    test.each<[string, Jwk, JwkRejectionCode]>([
      ['a point beside the curve', { ...ec, y: ec.x }, 'invalid_key'],
      [
        'the point at infinity as zeros',
        { ...ec, x: u(Buffer.alloc(32)), y: u(Buffer.alloc(32)) },
        'invalid_key',
      ],
      ['a coordinate beyond the field', { ...ec, x: u(Buffer.alloc(32, 0xff)) }, 'invalid_key'],
      ['a short coordinate', { ...ec, x: u(bytes(ec.x).subarray(1)) }, 'malformed_member'],
      [
        'a coordinate with a leading zero',
        { ...ec, x: u(Buffer.concat([Buffer.alloc(1), bytes(ec.x)])) },
        'malformed_member',
      ],
      ['no y', { ...ec, y: undefined }, 'malformed_member'],
      ['spare bits', { ...ec, x: `${(ec.x as string).slice(0, 42)}B` }, 'malformed_member'],
      ['another curve', { ...ec, crv: 'P-384' }, 'malformed_member'],
      ['an unknown curve', { ...ec, crv: 'secp256k1' }, 'unsupported_curve'],
      ['a curve of another type', { ...ec, crv: ['P-256'] }, 'unsupported_curve'],
      ['an OKP curve', { ...ec, crv: 'Ed25519' }, 'unsupported_curve'],
    ])('refuses %s', (_, jwk, code) => {
      expect(rejection(() => importPublicJwk(jwk))).toBe(code);
    });
  });

  describe('OKP', () => {
    test.each<[string, Jwk, JwkRejectionCode]>([
      ['X25519', { ...okp, crv: 'X25519', alg: undefined }, 'unsupported_curve'],
      ['Ed448', { ...jwkOf(generateKeyPairSync('ed448').publicKey) }, 'unsupported_curve'],
      ['31 bytes', { ...okp, x: u(bytes(okp.x).subarray(1)) }, 'malformed_member'],
      ['33 bytes', { ...okp, x: u(Buffer.concat([bytes(okp.x), Buffer.alloc(1)])) }, 'malformed_member'],
      ['no x', { ...okp, x: undefined }, 'malformed_member'],
      ['the neutral element', { ...okp, x: little(1n) }, 'weak_key'],
      ['the neutral element with a sign', { ...okp, x: little(1n + 2n ** 255n) }, 'weak_key'],
      ['order 2', { ...okp, x: little(P - 1n) }, 'weak_key'],
      ['order 4', { ...okp, x: little(0n) }, 'weak_key'],
      ['order 4, negated', { ...okp, x: little(2n ** 255n) }, 'weak_key'],
      [
        'order 8',
        {
          ...okp,
          x: u(Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex')),
        },
        'weak_key',
      ],
      [
        'order 8, negated',
        {
          ...okp,
          x: u(Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa', 'hex')),
        },
        'weak_key',
      ],
      [
        'the other order 8',
        {
          ...okp,
          x: u(Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')),
        },
        'weak_key',
      ],
      ['zero beyond the field', { ...okp, x: little(P) }, 'malformed_member'],
      ['one beyond the field', { ...okp, x: little(P + 1n) }, 'malformed_member'],
      ['all ones', { ...okp, x: u(Buffer.alloc(32, 0xff)) }, 'malformed_member'],
    ])('refuses %s', (_, jwk, code) => {
      expect(rejection(() => importPublicJwk(jwk))).toBe(code);
    });
  });
});

describe('importPem()', () => {
  const pem = (alg: 'RS256' | 'ES256' | 'EdDSA'): string =>
    testKey(alg).publicKey.export({ type: 'spki', format: 'pem' }) as string;

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('takes a public %s key', (alg) => {
    const key = importPem(pem(alg), alg, { kid: 'k1' });
    expect(key).toMatchObject({ kid: 'k1', algorithms: [alg] });
    expect(key.keyObject.equals(testKey(alg).publicKey)).toBe(true);
  });

  test('takes a PKCS#1 public key, surrounding white space and CRLF', () => {
    const pkcs1 = testKey('RS256').publicKey.export({ type: 'pkcs1', format: 'pem' }) as string;
    expect(importPem(`\n${pkcs1.replaceAll('\n', '\r\n')}\n`, 'PS256').algorithms).toEqual(['PS256']);
  });

  test('gives a key without alg all of its family', () => {
    expect(importPem(pem('ES256'), undefined).algorithms).toEqual(['ES256']);
  });

  const weak = (): string =>
    generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    }) as string;
  const pss = (): string =>
    generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    }) as string;

  test.each<[string, () => string, JwkRejectionCode]>([
    [
      'a private PKCS#8 key',
      () => testKey('ES256').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      'private_key',
    ],
    [
      'a private SEC 1 key',
      () => testKey('ES256').privateKey.export({ type: 'sec1', format: 'pem' }) as string,
      'private_key',
    ],
    [
      'a public key with a private one behind it',
      () => pem('ES256') + (testKey('ES256').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
      'private_key',
    ],
    ['two keys', () => pem('ES256') + pem('ES256'), 'unsupported_pem'],
    [
      'a certificate',
      () => '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      'unsupported_pem',
    ],
    ['text before it', () => `key: ${pem('ES256')}`, 'unsupported_pem'],
    ['nothing', () => '', 'unsupported_pem'],
    [
      'rubbish in the frame',
      () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'invalid_key',
    ],
    ['a weak key', weak, 'weak_key'],
    ['a key of RSA-PSS parameters', pss, 'invalid_key'],
    ['an alg of another family', () => pem('RS256'), 'algorithm_mismatch'],
  ])('refuses %s', (_, text, code) => {
    expect(rejection(() => importPem(text(), 'ES256'))).toBe(code);
  });
});

describe('importSecret()', () => {
  test.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const)('wants %s secrets of %i bytes and more', (alg, length) => {
    expect(importSecret('s'.repeat(length), alg).algorithms).toEqual([alg]);
    expect(rejection(() => importSecret('s'.repeat(length - 1), alg))).toBe('weak_secret');
  });

  test('counts bytes, not characters', () => {
    expect(rejection(() => importSecret('é'.repeat(16), 'HS256'))).toBeUndefined();
  });

  test('refuses an empty secret and a long kid', () => {
    expect(rejection(() => importSecret('', 'HS256'))).toBe('weak_secret');
    expect(rejection(() => importSecret('s'.repeat(32), 'HS256', { kid: 'k'.repeat(257) }))).toBe('bad_kid');
  });
});
