import { describe, expect, test } from '@jest/globals';
import { describeSkipped, MAX_KEYS, parseKeySet, serializeKeySet } from '../../src/jwks/key-set.js';
import { privateJwk, publicJwk } from '../support/public-jwk.js';

const good = publicJwk({ kid: 'good' });
const weakRsa = { kty: 'RSA', n: Buffer.alloc(128, 0xff).toString('base64url'), e: 'AQAB', kid: 'weak' };
const strongModulus = String(publicJwk({}, 'RSA').n);

describe('parseKeySet()', () => {
  test.each<[string, object]>([
    ['private_key', privateJwk()],
    ['symmetric_key', { kty: 'oct', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' }],
    ['wrong_use', publicJwk({ use: 'enc' })],
    ['wrong_use', publicJwk({ key_ops: ['encrypt'] })],
    ['weak_key', weakRsa],
    ['weak_key', { kty: 'RSA', n: strongModulus, e: 'AQ' }],
    ['algorithm_mismatch', publicJwk({ alg: 'RS256' })],
    ['unsupported_key_type', { kty: 'PQ' }],
    ['not_an_object', []],
    ['bad_kid', publicJwk({ kid: 7 })],
  ])('skips a key for %s and counts it', (reason, jwk) => {
    const set = parseKeySet({ keys: [jwk, good] });
    expect(set.keys.map(({ kid }) => kid)).toEqual(['good']);
    expect(set.skipped).toEqual({ [reason]: 1 });
  });

  test.each<[string, object]>([
    ['keys', {}],
    ['an array', { keys: { 0: good } }],
    ['keys of its own', Object.create({ keys: [good] }) as object],
  ])('refuses a document without %s', (_name, document) => {
    expect(() => parseKeySet(document)).toThrow(expect.objectContaining({ code: 'invalid_key_set' }));
  });

  test.each([
    ['an empty set', []],
    ['a set of useless keys', [weakRsa, privateJwk()]],
  ])('refuses %s', (_name, keys) => {
    expect(() => parseKeySet({ keys })).toThrow(expect.objectContaining({ code: 'no_usable_keys' }));
  });

  test('looks at no more than a hundred keys', () => {
    const set = parseKeySet({ keys: [good, ...Array.from({ length: 5000 }, () => ({ kty: 'x' }))] });
    expect(set.skipped).toEqual({ over_limit: 5001 - MAX_KEYS, unsupported_key_type: MAX_KEYS - 1 });
  });
});

describe('KeySet.find()', () => {
  const other = publicJwk({ kid: 'other' });
  const unnamed = publicJwk();
  const rsa = publicJwk({ kid: 'rsa' }, 'RSA');
  const set = parseKeySet({ keys: [good, other, unnamed, rsa] });
  const kids = (kid: string | undefined, alg: string): (string | undefined)[] =>
    set.find(kid, alg).map((key) => key.kid);

  test('finds a kid', () => {
    expect(kids('good', 'ES256')).toEqual(['good']);
  });
  test('finds nothing where the algorithm is not the key’s', () => {
    expect(kids('good', 'RS256')).toEqual([]);
    expect(kids('good', 'HS256')).toEqual([]);
    expect(kids('rsa', 'ES256')).toEqual([]);
  });
  test('offers every key of the algorithm to a token without kid', () => {
    expect(kids(undefined, 'ES256')).toEqual(['good', 'other', undefined]);
    expect(kids(undefined, 'PS512')).toEqual(['rsa']);
  });
  test('never offers a published key without kid to a token with one', () => {
    expect(kids('unknown', 'ES256')).toEqual([]);
  });
  test.each(['__proto__', 'constructor', 'toString', ''])('knows no kid %j', (kid) => {
    expect(kids(kid, 'ES256')).toEqual([]);
  });
  test('keeps duplicate kids, and tries four keys at most', () => {
    const twins = parseKeySet({ keys: [...Array(6)].map(() => publicJwk({ kid: 'twin' })) });
    expect(twins.keys).toHaveLength(6);
    expect(twins.find('twin', 'ES256')).toEqual(twins.keys.slice(0, 4));
    expect(twins.find(undefined, 'ES256')).toHaveLength(4);
  });
  test('tells duplicate kids apart by algorithm', () => {
    const mixed = parseKeySet({ keys: [publicJwk({ kid: 'k' }), publicJwk({ kid: 'k' }, 'RSA')] });
    expect(mixed.find('k', 'RS256')).toEqual([mixed.keys[1]]);
  });
});

describe('KeySet.fingerprint', () => {
  const other = publicJwk({ kid: 'other' });
  const of = (...keys: object[]): string => parseKeySet({ keys }).fingerprint;

  test('does not depend on order, or on members that are not used', () => {
    expect(of(good, other)).toBe(of({ ...other, x5t: 'abc' }, good));
  });
  test.each<[string, object[]]>([
    ['a key less', [good]],
    ['a key more', [good, other, publicJwk()]],
    ['another kid', [good, { ...other, kid: 'renamed' }]],
    ['another key of the same kid', [good, publicJwk({ kid: 'other' })]],
  ])('changes with %s', (_name, keys) => {
    expect(of(...keys)).not.toBe(of(good, other));
  });
});

describe('serializeKeySet()', () => {
  test('keeps what is needed to verify, and nothing else', () => {
    const rsa = publicJwk({ kid: 'r', alg: 'PS256', x5c: ['aaaa'], note: 'internal' }, 'RSA');
    const set = parseKeySet({ keys: [good, rsa, privateJwk({ kid: 'leaked' })] });
    const copy = parseKeySet(serializeKeySet(set));
    expect(copy.fingerprint).toBe(set.fingerprint);
    expect(JSON.stringify(serializeKeySet(set))).not.toMatch(/leaked|internal|x5c|"d"/);
  });
});

describe('describeSkipped()', () => {
  test('names reasons and counts', () => {
    expect(describeSkipped({ weak_key: 2, private_key: 1 })).toBe('weak_key: 2, private_key: 1');
    expect(describeSkipped({})).toBe('none skipped');
  });
});
