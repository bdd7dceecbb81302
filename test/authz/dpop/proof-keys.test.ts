import { describe, expect, test } from '@jest/globals';
import { createProofKeys, importProofKey, readProofHeader } from '../../../src/authz/dpop/proof-keys.js';
import { bareJwk, codeOf, jktOf } from '../../support/proofs.js';
import { testKey } from '../../support/tokens.js';

const key = testKey('ES256');
const good = { typ: 'dpop+jwt', alg: 'ES256', jwk: bareJwk(key) };

describe('readProofHeader()', () => {
  test.each(['dpop+jwt', 'DPoP+JWT', 'application/dpop+jwt', 'Application/DPoP+jwt'])(
    'takes typ %s',
    (typ) => {
      expect(readProofHeader({ ...good, typ }).jkt).toBe(jktOf(key));
    },
  );

  test('reads Ed25519 as EdDSA', () => {
    const jwk = bareJwk(testKey('EdDSA'));
    expect(readProofHeader({ ...good, alg: 'Ed25519', jwk }).alg).toBe('EdDSA');
  });

  test.each([
    ['no typ', { typ: undefined }, 'dpop_proof_type'],
    ['typ JWT', { typ: 'JWT' }, 'dpop_proof_type'],
    ['typ at+jwt', { typ: 'at+jwt' }, 'dpop_proof_type'],
    ['a typ that only begins so', { typ: 'dpop+jwt;x' }, 'dpop_proof_type'],
    ['a typ that is no string', { typ: ['dpop+jwt'] }, 'dpop_proof_type'],
    ['no alg', { alg: undefined }, 'dpop_proof_algorithm'],
    ['alg none', { alg: 'none' }, 'dpop_proof_algorithm'],
    ['alg HS256', { alg: 'HS256' }, 'dpop_proof_algorithm'],
    ['an alg in another case', { alg: 'es256' }, 'dpop_proof_algorithm'],
    ['an alg that every object has', { alg: 'toString' }, 'dpop_proof_algorithm'],
    ['no jwk', { jwk: undefined }, 'dpop_proof_key'],
    ['a jwk that is text', { jwk: JSON.stringify(bareJwk(key)) }, 'dpop_proof_key'],
    ['a jwk that is a list', { jwk: [bareJwk(key)] }, 'dpop_proof_key'],
    ['a jwk without kty', { jwk: { ...bareJwk(key), kty: undefined } }, 'dpop_proof_key'],
    ['a jwk without y', { jwk: { ...bareJwk(key), y: undefined } }, 'dpop_proof_key'],
    ['a symmetric jwk', { jwk: { kty: 'oct', k: 'AAAA' } }, 'dpop_proof_key'],
    ['crit', { crit: ['exp'] }, 'dpop_proof_malformed'],
    ['an empty crit', { crit: [] }, 'dpop_proof_malformed'],
    ['b64', { b64: false }, 'dpop_proof_malformed'],
    ['zip', { zip: 'DEF' }, 'dpop_proof_malformed'],
  ])('refuses %s', (_, change, code) => {
    expect(codeOf(() => readProofHeader({ ...good, ...change }))).toBe(code);
  });
});

describe('importProofKey()', () => {
  const importOf = (jwk: object, alg = 'ES256') => importProofKey(readProofHeader({ ...good, alg, jwk }));

  test.each([
    ['private members', { ...bareJwk(key), d: 'AAAA' }],
    ['another use', { ...bareJwk(key), use: 'enc' }],
    ['operations without verify', { ...bareJwk(key), key_ops: ['sign'] }],
    ['another alg', { ...bareJwk(key), alg: 'ES384' }],
    ['a point beside the curve', { ...bareJwk(key), y: Buffer.alloc(32, 7).toString('base64url') }],
    ['another curve', { ...bareJwk(key), crv: 'secp256k1' }],
    ['a short RSA modulus', { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url') }],
  ])('refuses a key with %s', (_, jwk) => expect(codeOf(() => importOf(jwk))).toBe('dpop_proof_key'));

  test('refuses a key that does not fit alg', () => {
    expect(codeOf(() => importOf(bareJwk(testKey('EdDSA')), 'ES256'))).toBe('dpop_proof_key');
  });
});

describe('createProofKeys()', () => {
  test('forgets the least recently used beyond its bound', () => {
    const keys = createProofKeys({ maxEntries: 2 });
    const proofKey = importProofKey(readProofHeader(good));
    keys.keep('a', proofKey);
    keys.keep('b', proofKey);
    keys.find('a');
    keys.keep('c', proofKey);
    expect(['a', 'b', 'c'].filter((text) => keys.find(text) !== undefined)).toEqual(['a', 'c']);
  });
});
