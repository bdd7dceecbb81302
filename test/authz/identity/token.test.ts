import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { createIdentityTokenIssuer } from '../../../src/authz/identity/token.js';
import type { SigningKeySet } from '../../../src/signing/key-set.js';
import { createJwtSigner } from '../../../src/signing/signer.js';
import { NOW_MS, NOW_S, verifiedToken } from '../contexts.js';

type Jwk = JsonWebKey & { kid: string; alg: string };

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

const issuerOf = (set: SigningKeySet = keys, maxEntries?: number) => {
  let count = 0;
  return createIdentityTokenIssuer({
    signer: createJwtSigner(set),
    issuer: 'https://gate.example.com',
    audience: 'upstream',
    ttlMs: 60_000,
    randomId: () => `id-${++count}`,
    ...(maxEntries === undefined ? {} : { maxEntries }),
  });
};

const verify = (jwt: string, jwks: object) =>
  jwtVerify(jwt, createLocalJWKSet(jwks as JSONWebKeySet), {
    issuer: 'https://gate.example.com',
    audience: 'upstream',
    typ: 'at+jwt',
    currentDate: new Date(NOW_MS),
  });

describe('createIdentityTokenIssuer()', () => {
  test.each(['EdDSA', 'ES256', 'RS256'])(
    'signs with %s, so that the published keys verify it',
    async (alg) => {
      const { priv, pub } = keyPair(alg, 'kid');
      const issuer = issuerOf({ active_kid: 'kid', private_keys: [priv], public_keys: [pub] });
      const jwt = issuer.issue(verifiedToken({ scopes: new Set(['a', 'b']) }), NOW_MS)!;
      const { payload, protectedHeader } = await verify(jwt, issuer.jwks);
      expect(protectedHeader).toEqual({ alg, typ: 'at+jwt', kid: 'kid' });
      expect(payload).toEqual({
        iss: 'https://gate.example.com',
        aud: 'upstream',
        sub: 'user-alice',
        origin_iss: 'https://login.example.com',
        client_id: 'app',
        scope: 'a b',
        iat: NOW_S,
        exp: NOW_S + 60,
        jti: 'id-1',
      });
    },
  );

  test('includes how the user authenticated, in the right types only', async () => {
    const claims = { acr: 'urn:mfa', amr: ['otp', 1], auth_time: NOW_S - 5 };
    const issuer = issuerOf();
    const { payload } = await verify(issuer.issue(verifiedToken({ claims }), NOW_MS)!, issuer.jwks);
    expect(payload).toMatchObject({ acr: 'urn:mfa', auth_time: NOW_S - 5 });
    expect(payload).not.toHaveProperty('amr');
  });

  test('keeps a token until half of its life', () => {
    const issuer = issuerOf();
    const token = verifiedToken();
    const first = issuer.issue(token, NOW_MS);
    expect(issuer.issue(token, NOW_MS + 29_999)).toBe(first);
    expect(issuer.issue(verifiedToken(), NOW_MS + 29_999)).toBe(first);
    expect(issuer.issue(token, NOW_MS + 30_000)).not.toBe(first);
  });

  test('keeps nothing of another token, nor of another word on the same one', () => {
    const issuer = issuerOf();
    const first = issuer.issue(verifiedToken(), NOW_MS);
    expect(issuer.issue(verifiedToken({ hash: 'other' }), NOW_MS)).not.toBe(first);
    expect(issuer.issue(verifiedToken({ scopes: new Set(['less']) }), NOW_MS)).not.toBe(first);
  });

  test('never outlives the access token', async () => {
    const issuer = issuerOf();
    const { payload } = await verify(
      issuer.issue(verifiedToken({ expiresAtS: NOW_S + 7 }), NOW_MS)!,
      issuer.jwks,
    );
    expect(payload.exp).toBe(NOW_S + 7);
  });

  test('makes a new one each time for a token that has just expired', () => {
    const issuer = issuerOf();
    const token = verifiedToken({ expiresAtS: NOW_S - 3 });
    expect(issuer.issue(token, NOW_MS)).not.toBe(issuer.issue(token, NOW_MS));
  });

  test('gives no sub where the token has none, and never the client in its place [security suspicion]', async () => {
    const issuer = issuerOf();
    const { payload } = await verify(
      issuer.issue(verifiedToken({ subject: undefined }), NOW_MS)!,
      issuer.jwks,
    );
    expect(payload).not.toHaveProperty('sub');
    expect(payload.client_id).toBe('app');
  });

  test('issues nothing where nobody is named', () => {
    expect(
      issuerOf().issue(verifiedToken({ subject: undefined, clientId: undefined }), NOW_MS),
    ).toBeUndefined();
  });

  test('publishes all public keys, so that a rotation overlaps', () => {
    expect(issuerOf().jwks.keys.map(({ kid }) => kid)).toEqual(['k1', 'k2']);
  });

  test('signs with the active key of several', () => {
    const set = {
      active_kid: 'k2',
      private_keys: [eddsa.priv, es256.priv],
      public_keys: [eddsa.pub, es256.pub],
    };
    expect(decodeProtectedHeader(issuerOf(set).issue(verifiedToken(), NOW_MS)!)).toMatchObject({
      alg: 'ES256',
      kid: 'k2',
    });
  });
});
