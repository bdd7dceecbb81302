import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cookieValues, withoutCookies } from '../../src/authz/cookies.js';
import { authzRequest } from './contexts.js';
import * as oracle from './oracles/crumb-list-cookies.js';

const headersOf = (cookie: string | readonly string[]) => authzRequest({ headers: { cookie } }).headers;
const NAMES = new Set(['token', 'other']);

describe('withoutCookies()', () => {
  test.each<[string, string | readonly string[], string | undefined]>([
    ['nothing to leave out', 'a=1; b=2', undefined],
    ['the name in a value', 'a=token; b=2', undefined],
    ['the only one', 'token=x', ''],
    ['the first', 'token=x; a=1', 'a=1'],
    ['the last', 'a=1; token=x', 'a=1'],
    ['one in the middle', 'a=1; token=x; b=2', 'a=1; b=2'],
    ['twice', 'token=x; a=1; token=y', 'a=1'],
    ['two names', 'token=x; other=y; b=2', 'b=2'],
    ['one without value', 'token; a=1', 'a=1'],
    ['an empty one', 'token=; a=1', 'a=1'],
    ['joined by a comma', 'a=1,token=x,b=2', 'a=1; b=2'],
    ['a comma in a value', 'p={"a":1,"b":2}; token=x', 'p={"a":1,"b":2}'],
    ['two fields', ['a=1', 'token=x', 'b=2'], 'a=1; b=2'],
    ['a field of its own', ['token=x'], ''],
    ['spaces', 'a = 1 ;  token = x', 'a = 1'],
    ['a quoted one', 'token="x"; a="1"', 'a="1"'],
    ['values with equals signs', 'a=b=c; token=x', 'a=b=c'],
    ['a control character beside it', 'a=\u0001; token=x; b=2', 'b=2'],
    ['bytes that are no UTF-8', 'a=1; token=\ufffd', ''],
    ['bytes that are no UTF-8, no name', '\ufffd', ''],
    ['empty pieces', ';; token=x ;; a=1;', 'a=1'],
  ])('%s', (_, cookie, expected) => {
    expect(withoutCookies(headersOf(cookie), NAMES)).toBe(expected);
  });

  test('says nothing where there is no cookie', () => {
    expect(withoutCookies(authzRequest().headers, NAMES)).toBeUndefined();
  });

  test('never leaves a token cookie, and never loses another', () => {
    const name = fc.constantFrom('a', 'b', 'token', 'tokens');
    const crumb = fc.tuple(name, fc.constantFrom('', '1', 'x y', '"q"'), fc.constantFrom('; ', ';', ','));
    fc.assert(
      fc.property(fc.array(crumb, { minLength: 1 }), (crumbs) => {
        const header = crumbs.map(([n, v, s]) => `${n}=${v}${s}`).join('');
        const rest = withoutCookies(headersOf(header), NAMES) ?? header;
        const left = headersOf(rest);
        expect(cookieValues(left, 'token')).toEqual([]);
        for (const kept of ['a', 'b', 'tokens']) {
          expect(cookieValues(left, kept)).toEqual(cookieValues(headersOf(header), kept));
        }
      }),
    );
  });
});

describe('what reads cookies without a list of them', () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(';', ',', '=', ' ', '; ', '"', '\t', '') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('token', 'tok', 'a=1', 'token=x', 'other=y', '"q"', 'p={"a":1,'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  );
  const cookies = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

  test('gives the answers of what makes a list [security 1]', () => {
    fc.assert(
      fc.property(fc.array(cookies, { minLength: 1, maxLength: 3 }), (fields) => {
        const headers = headersOf(fields);
        expect(withoutCookies(headers, NAMES)).toBe(oracle.withoutCookies(headers, NAMES));
        for (const name of ['token', 'tok', 'a'])
          expect(cookieValues(headers, name)).toEqual(oracle.cookieValues(headers, name));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([';', ',', ', ', ';a', ',a', '=', ' '])('takes 64 KiB of %j [security 1]', (text) => {
    const headers = headersOf(`token=x;${text.repeat(65_536 / text.length)};b=2`);
    expect(withoutCookies(headers, NAMES)).toBe(oracle.withoutCookies(headers, NAMES));
    expect(cookieValues(headers, 'token')).toEqual(oracle.cookieValues(headers, 'token'));
  });

  test('keeps empty pieces between commas, which may be part of a value', () => {
    expect(withoutCookies(headersOf('token=x; p=a,,b,; q=1'), NAMES)).toBe('p=a,,b,; q=1');
  });
});
