import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JwsRejection, type JwsRejectionCode } from '../../src/jws/jws-rejection.js';
import { JSON_LIMITS, parseStrictJsonObject, type JsonLimits } from '../../src/jws/strict-json.js';

const parse = (text: string | Uint8Array, limits?: JsonLimits) =>
  parseStrictJsonObject(Buffer.from(text as string), limits);

function rejection(text: string | Uint8Array, limits?: JsonLimits): JwsRejectionCode | undefined {
  try {
    parse(text, limits);
    return undefined;
  } catch (error) {
    if (error instanceof JwsRejection) return error.code;
    throw error;
  }
}

const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

describe('parseStrictJsonObject()', () => {
  test('reads every kind of value', () => {
    const text =
      ' {"s":"x\\n\\"\\\\é","n":-1.5e2,"t":true,"f":false,"z":null,"a":[1,[{}]],"o":{"k":"v"}}\r\n\t';
    expect(parse(text)).toEqual({
      s: 'x\n"\\é',
      n: -150,
      t: true,
      f: false,
      z: null,
      a: [1, [{}]],
      o: { k: 'v' },
    });
  });

  test.each<[string, string | Uint8Array, JwsRejectionCode]>([
    ['nothing', '', 'not_json'],
    ['a string', '"a"', 'not_an_object'],
    ['a number', '1', 'not_an_object'],
    ['null', 'null', 'not_an_object'],
    ['a list', '[{"a":1}]', 'not_an_object'],
    ['trailing data', '{"a":1}x', 'not_json'],
    ['a second object', '{"a":1}{"a":1}', 'not_json'],
    ['NUL at the end', '{"a":1}\0', 'not_json'],
    ['a trailing comma', '{"a":1,}', 'not_json'],
    ['a comment', '{"a":1/**/}', 'not_json'],
    ['single quotes', "{'a':1}", 'not_json'],
    ['a line break in a string', '{"a":"\n"}', 'not_json'],
    ['an open string', '{"a":"b', 'not_json'],
    ['an open string behind an escape', '{"a":"\\"}', 'not_json'],
    ['an open object', '{"a":1', 'not_json'],
    ['NaN', '{"a":NaN}', 'not_json'],
    ['a leading zero', '{"a":01}', 'not_json'],
    ['a no-break space', '\u00a0{"a":1}', 'not_json'],
    ['a BOM', '\ufeff{"a":1}', 'not_json'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'not_json'],
    ['a number that is too large', '{"a":1e999}', 'number_out_of_range'],
    ['a negative one deep inside', '{"a":[{"b":-1e400}]}', 'number_out_of_range'],
    ['a member twice', '{"a":1,"a":1}', 'duplicate_member'],
    ['a member twice, once in escapes', '{"a":1,"\\u0061":2}', 'duplicate_member'],
    ['a member twice, inside a list', '{"a":[{"b":1,"c":2,"b":3}]}', 'duplicate_member'],
    ['a member twice, inside a duplicate', '{"a":{"b":1},"a":{"b":1}}', 'duplicate_member'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_member'],
    ['an empty name twice', '{"":1,"":2}', 'duplicate_member'],
    ['an index twice', '{"0":1,"1":1,"0":2}', 'duplicate_member'],
    ['a byte that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not_utf8'],
    ['an overlong quote', Buffer.from([0x7b, 0xc0, 0xa2, 0x7d]), 'not_utf8'],
    ['a surrogate in UTF-8', Buffer.from('7b2261223a22eda080227d', 'hex'), 'not_utf8'],
    ['a cut sequence', Buffer.from('7b2261223a22e282227d', 'hex'), 'not_utf8'],
    ['a lone high surrogate', '{"a":"\\ud800"}', 'lone_surrogate'],
    ['a lone low surrogate', '{"a":"\\uDC00x"}', 'lone_surrogate'],
    ['surrogates in the wrong order', '{"a":"\\udc00\\ud800"}', 'lone_surrogate'],
    ['a lone surrogate in a name', '{"\\ud800":1}', 'lone_surrogate'],
    ['a lone surrogate in a list', '{"a":["\\udfff"]}', 'lone_surrogate'],
  ])('refuses %s', (_, text, code) => {
    expect(rejection(text)).toBe(code);
  });

  test.each([
    ['a pair of surrogates', '{"a":"\\ud83d\\ude00"}', { a: '😀' }],
    ['an escaped backslash before ud800', '{"a":"\\\\ud800"}', { a: '\\ud800' }],
    ['quotes and colons in strings', '{"a\\":":":,{}[]","b\\\\":1}', { 'a":': ':,{}[]', 'b\\': 1 }],
    ['a BOM inside a string', '{"a":"\ufeff"}', { a: '\ufeff' }],
    ['an empty object', '{}', {}],
  ])('takes %s', (_, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  test('bounds the depth', () => {
    expect(rejection(nested(JSON_LIMITS.maxDepth))).toBeUndefined();
    expect(rejection(nested(JSON_LIMITS.maxDepth + 1))).toBe('too_deep');
    expect(rejection(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)).toBe('too_deep');
    expect(rejection('['.repeat(100_000))).toBe('too_deep');
  });

  test('bounds the number of members and elements', () => {
    const limits = { maxDepth: 4, maxMembers: 3 };
    expect(rejection('{"a":1,"b":2,"c":3}', limits)).toBeUndefined();
    expect(rejection('{"a":1,"b":2,"c":3,"d":4}', limits)).toBe('too_many_members');
    expect(rejection('{"a":[1,2,3,4]}', limits)).toBe('too_many_members');
    expect(rejection('{"a":{"b":{"c":{}}},"d":1}', limits)).toBe('too_many_members');
  });

  test('gives objects without anything inherited, at every depth', () => {
    const object = parse('{"a":{"b":[{"c":{}}]}}') as { a: { b: { c: object }[] } };
    for (const one of [object, object.a, object.a.b[0]!, object.a.b[0]!.c]) {
      for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf']) {
        expect(name in one).toBe(false);
      }
    }
  });

  test('reads a member named __proto__ as nothing', () => {
    const object = parse('{"__proto__":{"admin":true},"o":{"__proto__":{"admin":true},"x":1}}') as {
      admin?: boolean;
      o: { admin?: boolean };
    };
    expect(Object.keys(object)).toEqual(['o']);
    expect(Object.keys(object.o)).toEqual(['x']);
    expect(object.admin).toBeUndefined();
    expect(object.o.admin).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('keeps members with the names of Object.prototype as data', () => {
    expect({ ...parse('{"constructor":1,"toString":2}') }).toEqual({ constructor: 1, toString: 2 });
  });

  test('leaves the stacks of other errors alone', () => {
    const before = Error.stackTraceLimit;
    rejection('{');
    expect(Error.stackTraceLimit).toBe(before);
  });

  test('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = JSON.stringify(value);
        if (/__proto__|\\ud[89a-f]/i.test(text)) return;
        expect(JSON.stringify(parse(text))).toBe(text);
      }),
    );
  });

  test('takes no text that JSON.parse refuses, and reads the same from it', () => {
    const unit = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      'a',
      'b',
      '1',
      '-',
      ' ',
      '"a"',
      'null',
      '\\u0061',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), (inner) => {
        const text = `{${inner}}`;
        if (rejection(text) !== undefined) return;
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });
});
