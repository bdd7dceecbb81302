import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { StaticSource } from '../../src/jwks/key-source.js';
import { KeySourceError, parseStaticKeys, StaticIssuerKeys } from '../../src/jwks/static-keys.js';
import { publicJwk } from '../support/public-jwk.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }) as string;
const secret = 'x'.repeat(32);

describe('parseStaticKeys()', () => {
  test('reads an inline set by the rules of published ones', () => {
    const set = parseStaticKeys({ kind: 'jwks', jwks: { keys: [publicJwk(), publicJwk({ kid: 'a' })] } });
    expect(set.find('a', 'ES256')).toHaveLength(1);
    expect(set.find('b', 'ES256')).toHaveLength(0);
  });

  test('never makes a secret of an inline set', () => {
    const source: StaticSource = {
      kind: 'jwks',
      jwks: { keys: [{ kty: 'oct', k: 'A'.repeat(60), alg: 'HS256' }] },
    };
    expect(() => parseStaticKeys(source)).toThrow(/symmetric_key/);
  });

  test('tries a listed key without kid for every kid', () => {
    const set = parseStaticKeys({
      kind: 'keys',
      keys: [
        { alg: 'ES256', pem },
        { kid: 'named', alg: 'HS256', secret },
      ],
    });
    expect(set.find('whatever', 'ES256')).toHaveLength(1);
    expect(set.find('named', 'HS256')).toHaveLength(1);
    expect(set.find('whatever', 'HS256')).toHaveLength(0);
    expect(set.find(undefined, 'HS256')).toHaveLength(1);
  });

  test('never uses a public key as a secret, nor a secret for another hash', () => {
    const set = parseStaticKeys({
      kind: 'keys',
      keys: [
        { alg: 'ES256', pem },
        { alg: 'HS256', secret },
      ],
    });
    expect(set.find(undefined, 'HS256').map(({ keyObject }) => keyObject.type)).toEqual(['secret']);
    expect(set.find(undefined, 'HS512')).toHaveLength(0);
  });

  test('names every entry that is wrong, and quotes none', () => {
    const privatePem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    let problems: KeySourceError['problems'] = [];
    try {
      parseStaticKeys({
        kind: 'keys',
        keys: [
          { alg: 'HS256', secret: 'hunter2' },
          { alg: 'ES256', pem },
          { alg: 'RS256', pem },
          { alg: 'ES256', pem: privatePem },
          { alg: 'ES256', pem: 'nonsense' },
        ],
      });
    } catch (error) {
      if (error instanceof KeySourceError) problems = error.problems;
    }
    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'keys.0.secret',
      'keys.2.pem',
      'keys.3.pem',
      'keys.4.pem',
    ]);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|nonsense|BEGIN PRIVATE/);
  });

  test.each<[string, StaticSource]>([
    ['an empty list', { kind: 'keys', keys: [] }],
    ['an empty set', { kind: 'jwks', jwks: { keys: [] } }],
  ])('refuses %s', (_name, source) => {
    expect(() => parseStaticKeys(source)).toThrow(KeySourceError);
  });
});

describe('StaticIssuerKeys', () => {
  test('is always usable and answers at once', () => {
    const keys = new StaticIssuerKeys(
      'https://a.example',
      parseStaticKeys({ kind: 'keys', keys: [{ alg: 'ES256', pem }] }),
      7,
    );
    expect(keys.isUsable()).toBe(true);
    expect(keys.generation).toBe(7);
    expect(keys.find('k', 'ES256')).toHaveLength(1);
  });
});
