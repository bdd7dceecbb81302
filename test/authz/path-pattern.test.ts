import { describe, expect, test } from '@jest/globals';
import { parsePathPattern, PathPatternError } from '../../src/authz/path-pattern.js';

describe('parsePathPattern()', () => {
  test('reads literals, stars, names and the rest', () => {
    expect(parsePathPattern('/a/*/{id}/**')).toEqual({
      segments: [
        { kind: 'literal', text: 'a' },
        { kind: 'any', name: undefined },
        { kind: 'any', name: 'id' },
      ],
      rest: true,
    });
  });

  test.each([
    ['no slash', 'a'],
    ['empty', ''],
    ['a rest in the middle', '/**/a'],
    ['a star in a segment', '/a*'],
    ['a name in a segment', '/a{id}'],
    ['three stars', '/***'],
    ['an invalid name', '/{1d}'],
    ['an empty name', '/{}'],
    ['__proto__', '/{__proto__}'],
    ['a name twice', '/{a}/{a}'],
    ['dot segments', '/a/../b'],
    ['an encoded slash', '/a%2fb'],
    ['a query', '/a?b'],
    ['a fragment', '/a#b'],
    ['a semicolon', '/a;b'],
    ['two slashes', '/a//b'],
    ['two slashes alone', '//'],
    ['a bad encoding', '/a%'],
    ['a lone surrogate', '/\ud800'],
    ['too many segments', '/a'.repeat(65)],
  ])('throws PathPatternError for %s', (_, text) => {
    expect(() => parsePathPattern(text)).toThrow(PathPatternError);
  });
});
