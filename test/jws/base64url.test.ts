import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64Url, isSha256Text } from '../../src/jws/base64url.js';

describe('decodeBase64Url()', () => {
  test.each([
    ['nothing', '', ''],
    ['one byte', 'Zg', 'f'],
    ['two bytes', 'Zm8', 'fo'],
    ['three bytes', 'Zm9v', 'foo'],
  ])('decodes %s', (_, text, bytes) => {
    expect(decodeBase64Url(text)?.toString()).toBe(bytes);
  });

  test.each([
    ['padding', 'Zg=='],
    ['one sign of padding', 'Zm8='],
    ['spare bits after one byte', 'Zh'],
    ['spare bits after two bytes', 'Zm9'],
    ['the other alphabet', '+/+/'],
    ['a space', 'Zm 9v'],
    ['a space at the end', 'Zm9v '],
    ['a line break', 'Zm9v\n'],
    ['a tab', 'Zm\t9v'],
    ['NUL', 'Zm9v\0'],
    ['a dot', 'Zm9v.'],
    ['a lone sextet', 'Z'],
    ['four characters and one', 'Zm9vZ'],
    ['a letter beyond ASCII', 'Zm9vé'],
    ['a full-width letter', 'Zm9\uFF36'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64Url(text)).toBeUndefined();
  });

  test('gives back every byte string it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeBase64Url(Buffer.from(bytes).toString('base64url'))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('knows one text only for each byte string', () => {
    const alphabet = fc.constantFrom(...Array.from('ABCwxyz019-_+/= \n'));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        const bytes = decodeBase64Url(text);
        expect(bytes === undefined || bytes.toString('base64url') === text).toBe(true);
      }),
    );
  });
});

describe('isSha256Text()', () => {
  const good = Buffer.alloc(32, 0xab).toString('base64url');

  test('takes the canonical text of 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(isSha256Text(Buffer.from(bytes).toString('base64url'))).toBe(true);
      }),
    );
  });

  test.each([
    ['a shorter text', good.slice(0, 42)],
    ['a longer text', `${good}A`],
    ['padding', `${good}=`],
    ['spare bits', `${good.slice(0, 42)}B`],
    ['a line break at the end', `${good}\n`],
    ['a number', 43],
    ['a list', [good]],
    ['nothing', undefined],
  ])('refuses %s', (_, value) => {
    expect(isSha256Text(value)).toBe(false);
  });
});
