import { describe, expect, test } from '@jest/globals';
import { hasJwsOutline } from '../../src/jws/compact.js';
import { JwsRejection, type JwsRejectionCode } from '../../src/jws/jws-rejection.js';
import { parseCompactJws } from '../support/compact-jws.js';
import { mintToken, replaceSegment, segment } from '../support/tokens.js';

const LIMITS = { maxBytes: 8192 };
const token = mintToken();
const [h = '', p = '', s = ''] = token.split('.');

function rejection(text: string, maxBytes = 8192): JwsRejectionCode | undefined {
  try {
    parseCompactJws(text, { maxBytes });
    return undefined;
  } catch (error) {
    if (error instanceof JwsRejection) return error.code;
    throw error;
  }
}

describe('parseCompactJws()', () => {
  test('reads header, payload, signing input and signature', () => {
    const jws = parseCompactJws(token, LIMITS);
    expect({ ...jws.header }).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: 'ES256-1' });
    expect(jws.payload.iss).toBe('https://login.example.com');
    expect(jws.signingInput).toBe(`${h}.${p}`);
    expect(jws.signature).toEqual(Buffer.from(s, 'base64url'));
  });

  test.each<[string, string, JwsRejectionCode]>([
    ['nothing', '', 'not_compact'],
    ['an opaque token', 'not-a-token', 'not_compact'],
    ['dots alone', '..', 'not_compact'],
    ['two segments', `${h}.${p}`, 'not_compact'],
    ['an empty header', `.${p}.${s}`, 'not_compact'],
    ['an empty payload (detached)', `${h}..${s}`, 'not_compact'],
    ['an empty signature', `${h}.${p}.`, 'not_compact'],
    ['four segments', `${token}.${s}`, 'not_base64url'],
    ['a dot at the end', `${token}.`, 'not_base64url'],
    ['five segments (JWE)', `${h}.${s}.${s}.${p}.${s}`, 'not_base64url'],
    ['padding of the signature', `${token}==`, 'not_base64url'],
    ['a space at the end', `${token} `, 'not_base64url'],
    ['a space before', ` ${token}`, 'not_base64url'],
    ['a line break in the signature', `${h}.${p}.${s.slice(0, 9)}\n${s.slice(9)}`, 'not_base64url'],
    ['a letter beyond ASCII', `${h}.${p}.${s}\u00e9`, 'not_base64url'],
    ['the other alphabet', replaceSegment(token, 2, () => '+/+/'), 'not_base64url'],
    ['a header that is no JSON', `${segment('{"alg":')}.${p}.${s}`, 'not_json'],
    ['a payload that is no object', `${h}.${segment('[]')}.${s}`, 'not_an_object'],
    [
      'a member twice in the header',
      `${segment('{"alg":"none","alg":"ES256"}')}.${p}.${s}`,
      'duplicate_member',
    ],
    ['a member twice in the payload', `${h}.${segment('{"sub":"a","sub":"b"}')}.${s}`, 'duplicate_member'],
    ['a BOM before the payload', `${h}.${segment('\ufeff{}')}.${s}`, 'not_json'],
  ])('refuses %s', (_, text, code) => {
    expect(rejection(text)).toBe(code);
  });

  test.each(['A', 'Q', 'g', 'w'])('refuses a signature that differs in spare bits alone (%s)', (last) => {
    const other = s.slice(0, -1) + last;
    const same = Buffer.from(other, 'base64url').equals(Buffer.from(s, 'base64url'));
    expect(same && other !== s).toBe(false);
    const spare = s.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
    expect(rejection(`${h}.${p}.${spare}`)).toBe('not_base64url');
  });

  test('bounds the size before it looks at anything', () => {
    expect(rejection(token, token.length)).toBeUndefined();
    expect(rejection(token, token.length - 1)).toBe('too_large');
    expect(rejection('.'.repeat(10_000))).toBe('too_large');
  });

  test('throws a value without a stack', () => {
    expect(new JwsRejection('not_json')).not.toBeInstanceOf(Error);
  });
});

describe('hasJwsOutline()', () => {
  test.each([
    ['a token', 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA', true],
    ['white space within the brace', 'ewogImFsZyI6MX0.e30.AAAA', true],
    ['an empty signature', 'eyJ9.e30.', false],
    ['an empty payload', 'eyJ9..AAAA', false],
    ['empty segments alone', 'e..', false],
    ['an opaque token', 'opq_4f3a', false],
    ['two segments', 'eyJ9.e30', false],
    ['five segments', 'eyJ9.a.b.c.d', false],
    ['no header', '.e30.AAAA', false],
    ['a header that is no object', 'W10.e30.AAAA', false],
    ['nothing', '', false],
  ])('of %s', (_name, text, expected) => {
    expect(hasJwsOutline(text)).toBe(expected);
  });
});
