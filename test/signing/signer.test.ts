import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { publishedKeysOf, type SigningKeySet } from '../../src/signing/key-set.js';
import { createJwtSigner, SigningKeyError } from '../../src/signing/signer.js';

type Jwk = Record<string, unknown>;

function keyPair(alg: string, kid: string): { priv: Jwk; pub: Jwk } {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return {
    priv: { ...privateKey.export({ format: 'jwk' }), kid, alg },
    pub: { ...publicKey.export({ format: 'jwk' }), kid, alg },
  };
}

const eddsa = keyPair('EdDSA', 'k1');
const es256 = keyPair('ES256', 'k2');
const keys: SigningKeySet = {
  active_kid: 'k1',
  private_keys: [eddsa.priv],
  public_keys: [eddsa.pub, es256.pub],
};

describe('createJwtSigner()', () => {
  test.each(['EdDSA', 'ES256', 'RS256'])(
    'signs with %s, so that the published keys verify it',
    async (alg) => {
      const { priv, pub } = keyPair(alg, 'kid');
      const signer = createJwtSigner({ active_kid: 'kid', private_keys: [priv], public_keys: [pub] });
      const { payload, protectedHeader } = await jwtVerify(
        signer.sign('{"a":1}'),
        createLocalJWKSet(signer.jwks as unknown as JSONWebKeySet),
      );
      expect(protectedHeader).toEqual({ alg, typ: 'at+jwt', kid: 'kid' });
      expect(payload).toEqual({ a: 1 });
    },
  );

  test.each([
    ['an active key that is not published', { ...keys, public_keys: [es256.pub] }],
    ['another key under its kid', { ...keys, public_keys: [keyPair('EdDSA', 'k1').pub] }],
    ['a public key as the private one', { ...keys, private_keys: [eddsa.pub] }],
    ['an alg of another family', { ...keys, private_keys: [{ ...eddsa.priv, alg: 'HS256' }] }],
    ['a secret', { ...keys, private_keys: [{ kty: 'oct', k: 'AAAA', kid: 'k1' }] }],
    ['a secret to publish', { ...keys, public_keys: [eddsa.pub, { kty: 'oct', k: 'AAAA', kid: 'x' }] }],
  ])('throws SigningKeyError for %s', (_, set) => {
    expect(() => createJwtSigner(set)).toThrow(SigningKeyError);
  });

  test('says nothing of a key in its error', () => {
    const broken = { ...eddsa.priv, d: 'c2VjcmV0' };
    expect(() => createJwtSigner({ ...keys, private_keys: [broken] })).toThrow(/^(?!.*c2VjcmV0)/);
  });
});

describe('publishedKeysOf()', () => {
  test('leaves private and unknown members behind', () => {
    const rsa = keyPair('RS256', 'r');
    const { keys: published } = publishedKeysOf({
      ...keys,
      public_keys: [{ ...eddsa.priv, retired_at: 1 }, rsa.priv],
    });
    expect(published[0]).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: eddsa.pub.x,
      kid: 'k1',
      alg: 'EdDSA',
      use: 'sig',
    });
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
      expect(published[1]).not.toHaveProperty(member);
  });
});
