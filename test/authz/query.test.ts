import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSpellingCheck, hasParameter, queryValues } from '../../src/authz/query.js';
import { denialOf } from './contexts.js';
import * as oracle from './oracles/split-query.js';

const check = createSpellingCheck(['access_token']);

describe('createSpellingCheck()', () => {
  test.each([
    ['no query', undefined],
    ['an empty query', ''],
    ['the exact name', 'access_token=abc'],
    ['the exact name among others', 'a=1&access_token=abc&b'],
    ['the exact name, empty', 'access_token'],
    ['other names', 'token=1&access=2&access_token2=3&my_access_token=4'],
    ['the name in a value', 'a=access_token&b=%61ccess_token'],
    ['odd but other names', 'a%5Fb=1&a[]=2&;;=&%'],
  ])('takes %s', (_, query) => {
    expect(denialOf(() => check(query))).toBe('passed');
  });

  test.each([
    ['an encoded letter', '%61ccess_token=x'],
    ['an encoded underscore', 'access%5Ftoken=x'],
    ['encoded twice', 'access%255Ftoken=x'],
    ['encoded thrice', 'access%25255ftoken=x'],
    ['other case', 'Access_Token=x'],
    ['after a semicolon', 'a=1;access_token=x'],
    ['odd, after a semicolon', 'a=1;ACCESS%5ftoken=x'],
    ['after an escaped ampersand', 'a=1&amp;access_token=x'],
    ['a list', 'access_token[]=x'],
    ['a list by index', 'access_token%5B0%5D=x'],
    ['a dot', 'access.token=x'],
    ['a space', 'access+token=x'],
    ['an encoded space', 'access%20token=x'],
    ['a space before', '+access_token=x'],
    ['a space after', 'access_token%20=x'],
    ['a line feed after', 'access_token%0a=x'],
    ['NUL after', 'access_token%00x=1'],
    ['a second question mark', '?access_token=x'],
    ['an encoded equals sign', 'access_token%3Dx'],
    ['odd beside exact', 'access_token=a&Access_token=b'],
    ['odd without value', 'ACCESS_TOKEN'],
  ])('throws ambiguous_token_parameter for %s', (_, query) => {
    expect(denialOf(() => check(query))).toBe('ambiguous_token_parameter');
  });

  test('reads long queries in one go', () => {
    expect(denialOf(() => check(`${'%25'.repeat(20_000)}&${'a;'.repeat(20_000)}`))).toBe('passed');
  });

  // Was quadratic: 50 KB of `+` in the middle of a name held the process for eight seconds.
  test.each(['+', '%2b', ' ', '%00', '?', '[', ';', '=', '%', '%25', '.'])(
    'takes 64 KiB of %j in a name in linear time [security 1]',
    (text) => {
      const run = text.repeat(65_536 / text.length);
      for (const query of [run, `x${run}x`, `x${run}x=1`, `a=${run}`, `;x${run}x;`])
        expect(denialOf(() => check(query))).toBe('passed');
    },
  );

  test.each(['+', '%20', '\u0001', '?'])(
    'finds the name behind 64 KiB of %j, and nothing hides it [security 1]',
    (text) => {
      const run = text.repeat(20_000);
      expect(denialOf(() => check(`${run}access_token=x`))).toBe('ambiguous_token_parameter');
    },
  );

  test.each([
    ['a list of 64 KiB', `access_token[${'x'.repeat(65_536)}]=1`],
    ['64 KiB of blanks after it', `access_token${'+'.repeat(65_536)}=1`],
    ['NUL and 64 KiB', `access_token%00${'x'.repeat(65_536)}=1`],
  ])('finds the name before %s [security 1]', (_, query) => {
    expect(denialOf(() => check(query))).toBe('ambiguous_token_parameter');
  });

  test('checks nothing where no parameter holds credentials', () => {
    expect(denialOf(() => createSpellingCheck([])('Access_Token=x'))).toBe('passed');
  });
});

describe('hasParameter()', () => {
  test.each([
    ['a=1&access_token=x', true],
    ['access_token', true],
    ['access_token=', true],
    ['xaccess_token=1', false],
    ['access_token2=1', false],
    ['', false],
    [undefined, false],
  ])('%s', (query, expected) => {
    expect(hasParameter(query, 'access_token')).toBe(expected);
  });
});

describe('what reads a query without cutting it into lists', () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('&', ';', '=', '+', '%', '%26', '[', '?', '.', ' ', '') },
    { weight: 2, arbitrary: fc.constantFrom('token', 'tok', 'en', 'Token', '%74oken', 'a', 'xtoken', 'b=1') },
    { weight: 1, arbitrary: fc.string({ maxLength: 4 }) },
  );
  const queries = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  const plain = createSpellingCheck(['token', 'a']);
  const cut = oracle.createSpellingCheck(['token', 'a']);

  test('gives the answers of what cuts it [security 1]', () => {
    fc.assert(
      fc.property(queries, (query) => {
        expect(denialOf(() => plain(query))).toBe(denialOf(() => cut(query)));
        for (const name of ['token', 'a', 'en']) {
          expect(queryValues(query, name)).toEqual(oracle.queryValues(query, name));
          expect(hasParameter(query, name)).toBe(oracle.hasParameter(query, name));
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each(['&', ';', '&;', 'a&', ';=', 'token&'])('takes 64 KiB of %j [security 1]', (text) => {
    const query = text.repeat(65_536 / text.length);
    expect(denialOf(() => plain(query))).toBe(denialOf(() => cut(query)));
    expect(queryValues(`${query}&token=x`, 'token')).toEqual(['x']);
    expect(hasParameter(`${query}&zz`, 'zz')).toBe(true);
  });
});
