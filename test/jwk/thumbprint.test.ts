import { describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { JwkRejection } from '../../src/jwk/jwk-rejection.js';
import { jwkThumbprint } from '../../src/jwk/thumbprint.js';
import { testKey } from '../support/tokens.js';

describe('jwkThumbprint()', () => {
  test.each(['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const)(
    'agrees with jose on %s keys',
    async (alg) => {
      const { jwk } = testKey(alg);
      expect(jwkThumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk));
    },
  );

  test('rests on the members that make the key alone', () => {
    const { kty, crv, x, y } = testKey('ES256').jwk;
    const bare = jwkThumbprint({ kty, crv, x, y });
    expect(jwkThumbprint({ y, x, kid: 'k', use: 'sig', alg: 'ES256', ext: true, crv, kty })).toBe(bare);
  });

  test.each<[string, object]>([
    ['an unknown kty', { kty: 'AKP', pub: 'x' }],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['a missing member', { kty: 'EC', crv: 'P-256', x: 'AAAA' }],
    ['a member of another type', { kty: 'OKP', crv: 'Ed25519', x: 1 }],
    ['an inherited member', Object.create({ kty: 'OKP', crv: 'Ed25519', x: 'AA' }) as object],
  ])('refuses %s', (_, jwk) => {
    expect(() => jwkThumbprint(jwk)).toThrow(expect.any(JwkRejection));
  });
});
