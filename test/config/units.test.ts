import { describe, expect, test } from '@jest/globals';
import { parseDuration, parseSize } from '../../src/config/units.js';

describe('parseDuration()', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['007s', 7_000],
  ])('reads %s as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    '',
    '5',
    's',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '+5s',
    '1.5h',
    '1h30m',
    '5S',
    '5M',
    '5d',
    '5 parsecs',
    '5sec',
    '1e3s',
    '99999999999s',
    '5s\n',
    '٥s',
    'Infinitys',
  ])('refuses %j', (text) => expect(parseDuration(text)).toBeUndefined());
});

describe('parseSize()', () => {
  test.each([
    [0, 0],
    [8192, 8192],
    ['8192', 8192],
    ['0B', 0],
    ['1B', 1],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
  ])('reads %j as %d bytes', (value, bytes) => expect(parseSize(value)).toBe(bytes));

  test.each([
    '',
    '-1',
    '1MB',
    '1kB',
    '1KB',
    '1mib',
    '1.5MiB',
    '1 MiB',
    'MiB',
    '1TiB',
    '9999999999999',
    '999999999999GiB',
    '0x10',
  ])('refuses the text %j', (value) => expect(parseSize(value)).toBeUndefined());
  test.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53])('refuses the number %d', (value) =>
    expect(parseSize(value)).toBeUndefined(),
  );
});
