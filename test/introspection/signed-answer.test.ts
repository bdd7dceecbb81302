import { describe, expect, test } from '@jest/globals';
import { IllFormedAnswerError } from '../../src/introspection/read-answer.js';
import { verifySignedAnswer } from '../../src/introspection/signed-answer.js';
import {
  createTestKey,
  ISSUER,
  mintToken,
  NOW_MS,
  NOW_S,
  TestIssuerKeys,
  testKey,
} from '../support/tokens.js';

const rules = {
  issuer: ISSUER,
  clientId: 'gate',
  algorithms: new Set(['ES256', 'HS256'] as const),
  keys: new TestIssuerKeys(),
  clockToleranceMs: 30_000,
};
const header = { typ: 'token-introspection+jwt' };
const claims = {
  iss: ISSUER,
  aud: 'gate',
  iat: NOW_S,
  exp: undefined,
  token_introspection: { active: true, sub: 'ann' },
};
const verify = (text: string) => verifySignedAnswer(text, rules, NOW_MS);

describe('verifySignedAnswer()', () => {
  test('gives what the issuer said', async () => {
    const answer = mintToken({ header, claims });
    expect(await verify(answer)).toMatchObject({ active: true, sub: 'ann' });
    const inactive = mintToken({ header, claims: { ...claims, token_introspection: { active: false } } });
    expect(await verify(inactive)).toBeUndefined();
  });

  test.each<[string, () => string]>([
    ['plain JSON', () => '{"active":true}'],
    ['an encrypted answer', () => 'a.b.c.d.e'],
    ['another typ', () => mintToken({ claims })],
    ['no typ', () => mintToken({ header: { typ: undefined }, claims })],
    ['another issuer', () => mintToken({ header, claims: { ...claims, iss: 'https://other.example' } })],
    ['another audience', () => mintToken({ header, claims: { ...claims, aud: 'other' } })],
    ['no audience', () => mintToken({ header, claims: { ...claims, aud: undefined } })],
    ['no iat', () => mintToken({ header, claims: { ...claims, iat: undefined } })],
    ['an iat in the future', () => mintToken({ header, claims: { ...claims, iat: NOW_S + 60 } })],
    ['an end that is over', () => mintToken({ header, claims: { ...claims, exp: NOW_S - 60 } })],
    ['an unknown key', () => mintToken({ header, claims, key: createTestKey('ES256') })],
    ['an algorithm that is not accepted', () => mintToken({ header, claims, key: testKey('EdDSA') })],
    ['none', () => mintToken({ header: { ...header, alg: 'none' }, claims })],
    ['no answer in it', () => mintToken({ header, claims: { ...claims, token_introspection: undefined } })],
    [
      'an answer beside it',
      () => mintToken({ header, claims: { ...claims, active: true, token_introspection: {} } }),
    ],
    [
      'active as a text',
      () => mintToken({ header, claims: { ...claims, token_introspection: { active: 'true' } } }),
    ],
  ])('refuses %s', async (_, answer) => {
    await expect(verify(answer())).rejects.toThrow(IllFormedAnswerError);
  });
});
