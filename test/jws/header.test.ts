import { describe, expect, test } from '@jest/globals';
import { readJoseHeader } from '../../src/jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../src/jws/jws-rejection.js';

function rejection(header: Record<string, unknown>): JwsRejectionCode | undefined {
  try {
    readJoseHeader(header);
    return undefined;
  } catch (error) {
    if (error instanceof JwsRejection) return error.code;
    throw error;
  }
}

describe('readJoseHeader()', () => {
  test('reads alg, kid and typ', () => {
    expect(readJoseHeader({ alg: 'RS256', kid: 'k', typ: 'AT+JWT' })).toEqual({
      alg: 'RS256',
      kid: 'k',
      typ: 'at+jwt',
    });
    expect(readJoseHeader({ alg: 'RS256' })).toEqual({ alg: 'RS256', kid: undefined, typ: undefined });
  });

  test('reads the name of RFC 9864 as the one of RFC 8037', () => {
    expect(readJoseHeader({ alg: 'Ed25519' }).alg).toBe('EdDSA');
  });

  test('leaves embedded keys and references to its caller', () => {
    expect(
      rejection({ alg: 'RS256', jwk: {}, jku: 'x', x5u: 'x', x5c: [], x5t: 'x', 'x5t#S256': 'x' }),
    ).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, JwsRejectionCode]>([
    ['no alg', {}, 'bad_algorithm'],
    ['an empty alg', { alg: '' }, 'bad_algorithm'],
    ['a list as alg', { alg: ['RS256'] }, 'bad_algorithm'],
    ['null as alg', { alg: null }, 'bad_algorithm'],
    ['crit', { alg: 'RS256', crit: ['exp'] }, 'critical_header'],
    ['an empty crit', { alg: 'RS256', crit: [] }, 'critical_header'],
    ['null as crit', { alg: 'RS256', crit: null }, 'critical_header'],
    ['b64 false', { alg: 'RS256', b64: false }, 'unsupported_header'],
    ['b64 true', { alg: 'RS256', b64: true }, 'unsupported_header'],
    ['zip', { alg: 'RS256', zip: 'DEF' }, 'unsupported_header'],
    ['enc', { alg: 'RS256', enc: 'A256GCM' }, 'unsupported_header'],
    ['p2c', { alg: 'PBES2-HS256+A128KW', p2c: 1e9 }, 'unsupported_header'],
    ['epk', { alg: 'RS256', epk: {} }, 'unsupported_header'],
    ['a number as kid', { alg: 'RS256', kid: 1 }, 'bad_kid'],
    ['null as kid', { alg: 'RS256', kid: null }, 'bad_kid'],
    ['an object as kid', { alg: 'RS256', kid: {} }, 'bad_kid'],
    ['a long kid', { alg: 'RS256', kid: 'k'.repeat(257) }, 'bad_kid'],
    ['a list as typ', { alg: 'RS256', typ: ['JWT'] }, 'bad_type'],
    ['a number as cty', { alg: 'RS256', cty: 1 }, 'bad_type'],
  ])('refuses %s', (_, header, code) => {
    expect(rejection(header)).toBe(code);
  });

  test('takes a kid of 256 characters', () => {
    expect(rejection({ alg: 'RS256', kid: 'k'.repeat(256) })).toBeUndefined();
  });
});
