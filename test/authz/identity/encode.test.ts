import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  headerTextOf,
  jsonTextOf,
  percentEncode,
  type ClaimForm,
} from '../../../src/authz/identity/encode.js';
import { denialOf } from '../contexts.js';

const DEEP: unknown = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`);

/** Beyond 2^53 no number can be distinguished from its neighbours, so none is written. */
const holdsRoundedNumber = (value: unknown): boolean => {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRoundedNumber);
};

describe('headerTextOf()', () => {
  test.each<[string, unknown, ClaimForm, string | undefined]>([
    ['a text', 'alice', 'text', 'alice'],
    ['visible ASCII', 'a,b;c="d"~', 'text', 'a,b;c="d"~'],
    ['a space', 'Alice Smith', 'text', 'Alice%20Smith'],
    ['UTF-8', 'J\u00f6rg', 'text', 'J%C3%B6rg'],
    ['beyond the BMP', '\u{1f600}', 'text', '%F0%9F%98%80'],
    ['a percent sign', '100%', 'text', '100%25'],
    ['what is encoded already', 'J%C3%B6rg', 'text', 'J%25C3%25B6rg'],
    ['CR LF', 'a\r\nx-admin: 1', 'text', 'a%0D%0Ax-admin:%201'],
    ['NUL', 'a\u0000', 'text', 'a%00'],
    ['DEL', 'a\u007f', 'text', 'a%7F'],
    ['a line separator', 'a\u2028', 'text', 'a%E2%80%A8'],
    ['an integer', 42, 'text', '42'],
    ['minus zero', -0, 'text', '0'],
    ['a fraction', 1.5, 'text', '1.5'],
    ['the largest integer', 9007199254740991, 'text', '9007199254740991'],
    ['the smallest integer', -9007199254740991, 'text', '-9007199254740991'],
    ['a small number', 1.25e-7, 'text', '0.000000125'],
    ['a tiny number', -5e-324, 'text', `-0.${'0'.repeat(323)}5`],
    ['true', true, 'text', 'true'],
    ['false', false, 'text', 'false'],
    ['zero', 0, 'text', '0'],
    ['a list', ['a', 'b'], 'text', 'a,b'],
    ['a list of mixed scalars', ['a', 1, true], 'text', 'a,1,true'],
    ['an object', { b: 1, a: 'x y' }, 'text', '{"a":"x%20y","b":1}'],
    ['csv', ['a', 'b'], 'csv', 'a,b'],
    ['csv with a comma', ['a,b', 'c'], 'csv', 'a%2Cb,c'],
    ['csv of a text with a comma', 'a,b', 'csv', 'a%2Cb'],
    ['csv with an encoded comma', ['a%2Cb'], 'csv', 'a%252Cb'],
    ['csv with an object', [{ b: 1, a: 2 }, 'c'], 'csv', '{"a":2%2C"b":1},c'],
    ['csv without null and empty', ['a', null, '', 'b'], 'csv', 'a,b'],
    ['json of a text', 'a', 'json', '"a"'],
    ['json of a list', ['a', 1], 'json', '["a",1]'],
    ['json of an empty list', [], 'json', '[]'],
    ['json is sorted at every depth', { b: { d: 1, c: 2 }, a: [] }, 'json', '{"a":[],"b":{"c":2,"d":1}}'],
    ['json of UTF-8', { n: '\u00f6' }, 'json', '{"n":"%C3%B6"}'],
    ['json of a small number', [1e-7], 'json', '[0.0000001]'],
    ['absent', undefined, 'text', undefined],
    ['null', null, 'json', undefined],
    ['an empty text', '', 'json', undefined],
    ['an empty list', [], 'csv', undefined],
    ['a list of nothing', [null, ''], 'text', undefined],
  ])('%s', (_, value, form, expected) => {
    expect(headerTextOf(value, form)).toBe(expected);
  });

  test.each<[string, unknown]>([
    ['a text that is too long', 'a'.repeat(8193)],
    ['one that is too long when encoded', '\u00f6'.repeat(2000)],
    ['a list that is too long', Array<string>(5000).fill('ab')],
    ['what is too deep', DEEP],
    ['what is no number', Number.POSITIVE_INFINITY],
    ['an integer that has neighbours of the same text', 2 ** 53],
    ['one below zero', -(2 ** 53)],
    ['one within a list', ['a', 2 ** 64]],
    ['one within an object', { id: 1e21 }],
    ['a lone surrogate', 'a\ud800'],
    ['a function', () => 1],
  ])('throws invalid_claims for %s', (_, value) => {
    expect(denialOf(() => headerTextOf(value, 'text'))).toBe('invalid_claims');
  });

  test('is visible ASCII, and can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
        const encoded = headerTextOf(text, 'text');
        expect(encoded).toMatch(/^[\x21-\x7e]+$/);
        expect(decodeURIComponent(encoded!)).toBe(text);
      }),
    );
  });

  test('csv can be read back', () => {
    const member = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 10 }), (members) => {
        expect(headerTextOf(members, 'csv')!.split(',').map(decodeURIComponent)).toEqual(members);
      }),
    );
  });

  test('json can be read back, and does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__') && !holdsRoundedNumber(value));
        const text = jsonTextOf(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        if (text.length < 8000) expect(percentEncode(text)).toMatch(/^[\x21-\x7e]*$/);
      }),
    );
  });
});
