import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { ConfigFiles } from '../../src/config/files.js';
import { readSigningKeys } from '../../src/config/signing-keys.js';
import type { SigningKeySet } from '../../src/signing/key-set.js';

const files = new ConfigFiles('/', () => {
  throw Object.assign(new Error(), { code: 'ENOENT' });
});
const readSet = (set: unknown) => readSigningKeys(JSON.stringify(set), files);
let good: SigningKeySet;
let other: SigningKeySet;
beforeAll(async () => {
  [good, other] = await Promise.all([generateSigningKeys('EdDSA', 'a'), generateSigningKeys('ES256', 'b')]);
});

describe('readSigningKeys()', () => {
  test('takes a set, and one of two keys in the middle of a rotation', () => {
    const rotating = {
      active_kid: 'b',
      private_keys: other.private_keys,
      public_keys: [...good.public_keys, ...other.public_keys],
    };
    expect(readSet(good)).toEqual({ value: good });
    expect(readSet(rotating)).toEqual({ value: rotating });
  });

  test.each<[name: string, make: () => unknown, problem: RegExp]>([
    ['a list', () => [], /as `portcullis keys generate` prints it|does not exist/],
    ['a JWK set', () => ({ keys: good.public_keys }), /prints it/],
    ['an active key that is not there', () => ({ ...good, active_kid: 'z' }), /active_kid/],
    [
      'an active key that is public only',
      () => ({ ...good, active_kid: 'b', public_keys: [...good.public_keys, ...other.public_keys] }),
      /active_kid/,
    ],
    [
      'private keys among the public ones',
      () => ({ ...good, public_keys: good.private_keys }),
      /public_keys: /,
    ],
    ['public keys for private ones', () => ({ ...good, private_keys: good.public_keys }), /private_keys: /],
    [
      'a private key that is not published',
      () => ({ ...good, private_keys: [...good.private_keys, ...other.private_keys] }),
      /private_keys: /,
    ],
    [
      'a public half of another key',
      () => ({ ...good, public_keys: [{ ...good.public_keys[0], x: other.public_keys[0]?.x }] }),
      /private_keys: |public_keys: /,
    ],
    [
      'a key without alg',
      () => ({ ...good, public_keys: [{ ...good.public_keys[0], alg: undefined }] }),
      /public_keys: /,
    ],
    [
      'a key without kid',
      () => ({ ...good, private_keys: [{ ...good.private_keys[0], kid: undefined }] }),
      /prints it/,
    ],
    ['a kid twice', () => ({ ...good, public_keys: [...good.public_keys, ...good.public_keys] }), /once/],
    ['no private keys', () => ({ ...good, private_keys: [] }), /prints it/],
    ['keys that are no objects', () => ({ ...good, private_keys: ['x'] }), /prints it/],
  ])('refuses %s', (_name, make, problem) => {
    const result = readSet(make());
    expect(result).toEqual({ problem: expect.stringMatching(problem) });
    // No part of a private key may be told.
    expect(JSON.stringify(result)).not.toContain(String(good.private_keys[0]?.d));
  });
});
