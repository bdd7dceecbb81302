import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHpackDecoder } from '../../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { encodeFields } from '../../../../../src/fronts/envoy/http2/hpack/encoder.js';
import { HpackError } from '../../../../../src/fronts/envoy/http2/hpack/hpack-error.js';
import { huffmanLength, writeHuffman } from '../../../../../src/fronts/envoy/http2/hpack/huffman-encode.js';
import { readHuffman } from '../../../../../src/fronts/envoy/http2/hpack/huffman-decode.js';
import { STATIC_TABLE } from '../../../../../src/fronts/envoy/http2/hpack/static-table.js';

const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((octets) => Buffer.from(octets).toString('latin1'));
const token = fc.string({ maxLength: 300 }).map((text) => text.replace(/[^\x20-\x7e]/g, '~'));
const field = fc.oneof(
  fc.constantFrom(...STATIC_TABLE.slice(1)),
  fc.tuple(fc.constantFrom(...STATIC_TABLE.slice(1).map(([name]) => name)), token),
  fc.tuple(latin1(40), latin1(300)),
);

const newDecoder = () => createHpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 24 });

describe('encodeFields()', () => {
  test('what it encodes, decode() returns, and no block changes a table', () => {
    const decoder = newDecoder();
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const block = encodeFields(fields);
        expect(decoder.decode(block, 0, block.length)).toEqual({ fields, tooLarge: false });
        expect(() =>
          newDecoder().decode(Buffer.concat([block, Buffer.from([0xbe])]), 0, block.length + 1),
        ).toThrow(expect.objectContaining({ message: 'an index past the table' }));
      }),
      { numRuns: 500 },
    );
  });

  test('a whole static field takes one octet', () => {
    expect(encodeFields([[':status', '200']]).toString('hex')).toBe('88');
  });

  test('a value that Huffman code makes longer stays as it is', () => {
    expect(encodeFields([['a', '\u0000\u0001']]).toString('hex')).toBe('000161020001');
  });

  test('refuses a character that is not latin1', () => {
    expect(() => encodeFields([['a', '\u0100']])).toThrow(RangeError);
  });
});

describe('Huffman code', () => {
  test('every octet, alone and between others', () => {
    for (let octet = 0; octet < 256; octet++) {
      for (const text of [octet, `a${String.fromCharCode(octet)}`, `~${String.fromCharCode(octet)}0`].map(
        (item) => (typeof item === 'number' ? String.fromCharCode(item) : item),
      )) {
        const out = Buffer.alloc(huffmanLength(text));
        expect(writeHuffman(out, 0, text)).toBe(out.length);
        expect(readHuffman({ octets: out, position: 0, end: out.length }, out.length)).toBe(text);
      }
    }
  });

  test('a string longer than the scratch buffer', () => {
    const text = 'a{\u00ff'.repeat(20_000);
    const out = Buffer.alloc(huffmanLength(text));
    writeHuffman(out, 0, text);
    expect(readHuffman({ octets: out, position: 0, end: out.length }, out.length)).toBe(text);
  });

  test('decoding is strict: what decodes, encodes to the same octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (octets) => {
        const code = Buffer.from(octets);
        let text: string;
        try {
          text = readHuffman({ octets: code, position: 0, end: code.length }, code.length);
        } catch (error) {
          expect(error).toBeInstanceOf(HpackError);
          return;
        }
        const out = Buffer.alloc(huffmanLength(text));
        writeHuffman(out, 0, text);
        expect(out).toEqual(code);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('decode()', () => {
  test('any octets are fields or an HpackError, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 5 }), (blocks) => {
        const decoder = newDecoder();
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block), 0, block.length);
        } catch (error) {
          expect(error).toBeInstanceOf(HpackError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
