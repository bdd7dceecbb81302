import { describe, expect, test } from '@jest/globals';
import { clampTtlMs, parseTtlMs } from '../../src/jwks/cache-lifetime.js';

const NOW = Date.parse('Tue, 14 Nov 2023 22:13:20 GMT');

describe('parseTtlMs()', () => {
  test.each([
    ['nothing', {}, undefined],
    ['max-age', { 'cache-control': 'public, max-age=300' }, 300_000],
    ['max-age less Age', { 'cache-control': 'max-age=300', age: '100' }, 200_000],
    ['an Age above max-age', { 'cache-control': 'max-age=300', age: '900' }, 0],
    ['an Age that is none', { 'cache-control': 'max-age=300', age: '-5' }, 300_000],
    ['s-maxage', { 'cache-control': 's-maxage=60' }, 60_000],
    ['both: the shorter', { 'cache-control': 'max-age=60, s-maxage=86400' }, 60_000],
    ['one of them twice: the shorter', { 'cache-control': 'max-age=60, max-age=86400' }, 60_000],
    ['several field lines', { 'cache-control': ['public', 'max-age=60'] }, 60_000],
    ['a quoted number', { 'cache-control': 'max-age="60"' }, 60_000],
    ['upper case', { 'cache-control': 'MAX-AGE=60' }, 60_000],
    ['no-store', { 'cache-control': 'no-store, max-age=60' }, 0],
    ['no-cache', { 'cache-control': 'no-cache' }, 0],
    ['a negative max-age', { 'cache-control': 'max-age=-1' }, 0],
    ['a max-age that is no number', { 'cache-control': 'max-age=1e9' }, 0],
    ['an absurd max-age', { 'cache-control': 'max-age=99999999999999999999' }, 0],
    [
      'max-age before Expires',
      { 'cache-control': 'max-age=60', expires: 'Wed, 15 Nov 2023 22:13:20 GMT' },
      60_000,
    ],
    ['Expires', { expires: 'Tue, 14 Nov 2023 22:18:20 GMT' }, 300_000],
    [
      'Expires less Date',
      { expires: 'Tue, 14 Nov 2023 22:18:20 GMT', date: 'Tue, 14 Nov 2023 22:17:20 GMT' },
      60_000,
    ],
    ['an Expires in the past', { expires: 'Tue, 14 Nov 2023 22:00:00 GMT' }, 0],
    ['an Expires that is no date', { expires: '0' }, 0],
    ['other directives', { 'cache-control': 'public, must-revalidate' }, undefined],
  ])('of %s', (_name, headers, expected) => {
    expect(parseTtlMs(headers, NOW)).toBe(expected);
  });
});

describe('clampTtlMs()', () => {
  const bounds = { minTtlMs: 60_000, maxTtlMs: 3_600_000 };
  test.each([
    ['too short', 0, 60_000],
    ['too long', 86_400_000, 3_600_000],
    ['between', 300_000, 300_000],
    ['unknown', undefined, 600_000],
  ])('of a lifetime that is %s', (_name, ttlMs, expected) => {
    expect(clampTtlMs(ttlMs, bounds)).toBe(expected);
  });

  test('keeps nothing where maxTtl is 0', () => {
    expect(clampTtlMs(300_000, { minTtlMs: 60_000, maxTtlMs: 0 })).toBe(0);
  });
});
