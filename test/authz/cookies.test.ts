import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cookieValues, withoutCookies } from '../../src/authz/cookies.js';
import { authzRequest } from './contexts.js';

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
