import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { assertUnambiguousPath, isAmbiguousPath, normalPathOf } from '../../src/authz/path.js';
import { denialOf } from './contexts.js';

describe('assertUnambiguousPath()', () => {
  test.each([
    ['root', '/'],
    ['plain', '/a/b-c_d~e/F'],
    ['trailing slash', '/a/'],
    ['dots within names', '/a.b/c..d/...'],
    ['a well-known name', '/.well-known/x'],
    ['sub-delimiters', "/a!$&'()*+,=:@"],
    ['encoded space', '/a%20b'],
    ['encoded letter', '/%61dmin'],
    ['encoded UTF-8', '/caf%C3%A9'],
    ['encoded percent sign', '/100%25'],
    ['dots encoded twice are text', '/%252e%252e/a'],
    ['a slash encoded twice is text', '/a%252fb'],
    ['encoded question mark', '/a%3Fb'],
    ['what browsers leave alone', '/a|b^c{d}'],
  ])('takes %s', (_, path) => {
    expect(denialOf(() => assertUnambiguousPath(path))).toBe('passed');
  });

  test.each([
    ['empty', ''],
    ['no slash', 'a/b'],
    ['asterisk', '*'],
    ['absolute form', 'http://x/a'],
    ['dot segment', '/a/./b'],
    ['double dot segment', '/a/../b'],
    ['final dot', '/a/.'],
    ['final double dot', '/a/..'],
    ['encoded dot', '/a/%2e/b'],
    ['encoded dots, upper case', '/a/%2E%2E/b'],
    ['half-encoded dots', '/a/.%2e/b'],
    ['an encoded dot in a name', '/a%2eb'],
    ['encoded slash', '/a%2fb'],
    ['encoded slash, upper case', '/a%2Fb'],
    ['encoded backslash', '/a%5cb'],
    ['backslash', '/a\\b'],
    ['backslash and dots', '/a/..\\b'],
    ['two slashes', '/a//b'],
    ['two slashes first', '//a'],
    ['two slashes last', '/a//'],
    ['semicolon', '/a;b'],
    ['dots and semicolon', '/a/..;/b'],
    ['encoded semicolon', '/a/..%3b/b'],
    ['encoded NUL', '/a%00'],
    ['NUL', '/a\u0000'],
    ['encoded line feed', '/a%0a'],
    ['encoded DEL', '/a%7f'],
    ['tab', '/a\tb'],
    ['space', '/a b'],
    ['number sign', '/a#b'],
    ['question mark', '/a?b'],
    ['percent alone', '/a%'],
    ['percent and one digit', '/a%2'],
    ['percent and no digits', '/a%zz'],
    ['overlong slash', '/%c0%af'],
    ['a byte that is not UTF-8', '/%ff'],
    ['raw non-ASCII', '/caf\u00e9'],
    ['what is left of bad bytes', '/\ufffd'],
  ])('throws ambiguous_path for %s', (_, path) => {
    expect(denialOf(() => assertUnambiguousPath(path))).toBe('ambiguous_path');
  });

  test('decides long paths of every kind without backtracking', () => {
    expect(isAmbiguousPath(`/${'a.'.repeat(30_000)}\\`)).toBe(true);
    expect(isAmbiguousPath('/a'.repeat(30_000))).toBe(false);
    expect(isAmbiguousPath(`${'/a'.repeat(30_000)}\u0001`)).toBe(true);
  });

  test('refuses every path that Envoy would normalise, but for encoded letters', () => {
    const file = new URL('../vectors/envoy-path-normalisation.json', import.meta.url);
    const vectors = JSON.parse(readFileSync(file, 'utf8'));
    const changed = [...vectors.normalize_path, ...vectors.merge_slashes].filter(
      ([raw, normal]: [string, string]) => raw !== normal && raw.startsWith('/') && !raw.includes('?'),
    );
    expect(changed.length).toBeGreaterThan(5);
    for (const [raw] of changed) expect([raw, isAmbiguousPath(raw)]).toEqual([raw, true]);
    for (const raw of vectors.invalid) expect([raw, isAmbiguousPath(raw)]).toEqual([raw, true]);
  });
});

describe('normalPathOf()', () => {
  test.each([
    ['/a/b', '/a/b'],
    ['/%61dmin', '/admin'],
    ['/caf%C3%A9', '/caf\u00e9'],
    ['/%252e%252e', '/%2e%2e'],
  ])('reads %s as %s', (path, normal) => {
    expect(normalPathOf(path)).toBe(normal);
  });
});
