import { describe, expect, test } from '@jest/globals';
import type { DenialCode } from '../../../src/authz/denial.js';
import { assertTokenHeader } from '../../../src/authz/token/jwt-header.js';
import type { TokenProfile } from '../../../src/authz/token/types.js';
import { readJoseHeader } from '../../../src/jws/header.js';
import { denialOf } from '../../support/denials.js';
import { tokenIssuer } from '../../support/token-issuers.js';

const judge = (raw: Record<string, unknown>, profile: TokenProfile = 'compatible') =>
  denialOf(() => assertTokenHeader(readJoseHeader(raw), { raw, rules: tokenIssuer({ profile }) }));

describe('assertTokenHeader()', () => {
  test.each<[string, unknown, DenialCode | undefined, DenialCode | undefined]>([
    ['none', undefined, undefined, 'invalid_token_type'],
    ['JWT', 'JWT', undefined, 'invalid_token_type'],
    ['jwt', 'jwt', undefined, 'invalid_token_type'],
    ['at+jwt', 'at+jwt', undefined, undefined],
    ['AT+JWT', 'AT+JWT', undefined, undefined],
    ['application/at+jwt', 'application/at+jwt', undefined, undefined],
    ['Application/AT+jwt', 'Application/AT+jwt', undefined, undefined],
    ['dpop+jwt', 'dpop+jwt', 'invalid_token_type', 'invalid_token_type'],
    ['logout+jwt', 'logout+jwt', 'invalid_token_type', 'invalid_token_type'],
    ['secevent+jwt', 'secevent+jwt', 'invalid_token_type', 'invalid_token_type'],
    ['JOSE', 'JOSE', 'invalid_token_type', 'invalid_token_type'],
    ['at+jwt and a space', 'at+jwt ', 'invalid_token_type', 'invalid_token_type'],
    ['an empty text', '', 'invalid_token_type', 'invalid_token_type'],
  ])('typ %s', async (_, typ, compatible, strict) => {
    const header = typ === undefined ? { alg: 'ES256' } : { alg: 'ES256', typ };
    expect(await judge(header)).toBe(compatible);
    expect(await judge(header, 'rfc9068')).toBe(strict);
  });

  test.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    'HS256',
    'es256',
    'ES256K',
    'RS1',
    'ES256 ',
    'constructor',
    '__proto__',
  ])('refuses alg %s, which is not in the list', async (alg) => {
    expect(await judge({ alg })).toBe('unsupported_algorithm');
  });

  test('refuses an embedded key, and passes references unread', async () => {
    expect(await judge({ alg: 'ES256', jwk: { kty: 'EC' } })).toBe('invalid_token_header');
    expect(
      await judge({ alg: 'ES256', x5t: 'a', 'x5t#S256': 'b', x5c: ['c'], x5u: 'd', jku: 'e' }),
    ).toBeUndefined();
  });
});
