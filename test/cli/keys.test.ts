import { describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT, type JWK } from 'jose';
import type { SigningKeySet } from '../../src/signing/key-set.js';
import { ConfigFiles } from '../../src/config/files.js';
import { readSigningKeys } from '../../src/config/signing-keys.js';
import { runCommand } from './run-command.js';

async function generate(...args: string[]): Promise<SigningKeySet & { text: string }> {
  const { code, out } = await runCommand(['keys', 'generate', ...args]);
  expect(code).toBe(0);
  return { ...(JSON.parse(out) as SigningKeySet), text: out };
}

describe('runKeysGenerate()', () => {
  test.each([
    ['EdDSA', ['alg', 'crv', 'kid', 'kty', 'use', 'x']],
    ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
  ])('%s: a key that signs, a public one that verifies and holds nothing private', async (alg, members) => {
    const set = await generate('--alg', alg, '--kid', 'my-kid');
    expect(set).toMatchObject({
      active_kid: 'my-kid',
      private_keys: [{ kid: 'my-kid', alg }],
      public_keys: [{ kid: 'my-kid', alg }],
    });
    expect(Object.keys(set.public_keys[0] ?? {}).sort()).toEqual(members);
    const token = await new SignJWT({ a: 1 })
      .setProtectedHeader({ alg })
      .sign(await importJWK(set.private_keys[0] as JWK, alg));
    const { payload } = await jwtVerify(token, await importJWK(set.public_keys[0] as JWK, alg));
    expect(payload).toEqual({ a: 1 });
  });

  test('EdDSA, named by its thumbprint, unless said otherwise', async () => {
    const set = await generate();
    expect(set.public_keys[0]).toMatchObject({ alg: 'EdDSA', crv: 'Ed25519' });
    expect(set.active_kid).toBe(await calculateJwkThumbprint(set.public_keys[0] as JWK));
  });

  test('another key each time', async () => {
    expect((await generate()).active_kid).not.toBe((await generate()).active_kid);
  });

  test.each(['EdDSA', 'ES256', 'RS256'])('%s: what tokens.keys takes', async (alg) => {
    const { text } = await generate('--alg', alg);
    const files = new ConfigFiles('/', () => Buffer.from(text));
    expect(readSigningKeys('./keys.json', files)).toEqual({ value: JSON.parse(text) as unknown });
  });
});
