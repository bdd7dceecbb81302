import { describe, expect, test } from '@jest/globals';
import {
  createHpackDecoder,
  type HpackDecoder,
} from '../../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { readInteger, writeInteger } from '../../../../../src/fronts/envoy/http2/hpack/integer.js';
import { EXAMPLES } from './rfc7541-examples.js';

const newDecoder = (): HpackDecoder => createHpackDecoder({ maxTableBytes: 4096, maxListBytes: 65_536 });
const decodeHex = (decoder: HpackDecoder, hex: string) => {
  const octets = Buffer.from(hex, 'hex');
  return decoder.decode(octets, 0, octets.length);
};

/** A size update to `size`, as the encoder of the example would have sent it. */
function sizeUpdate(size: number): string {
  const out = Buffer.alloc(6);
  return out.toString('hex', 0, writeInteger(out, 0, { value: size, pattern: 0x20, prefixMask: 0x1f }));
}

describe('RFC 7541 appendix C', () => {
  test.each([
    { title: 'C.1.1 10 with a 5-bit prefix', hex: '0a', mask: 0x1f, value: 10 },
    { title: 'C.1.2 1337 with a 5-bit prefix', hex: '1f9a0a', mask: 0x1f, value: 1337 },
    { title: 'C.1.3 42 at an octet boundary', hex: '2a', mask: 0xff, value: 42 },
  ])('readInteger() and writeInteger() $title', ({ hex, mask, value }) => {
    const octets = Buffer.from(hex, 'hex');
    const out = Buffer.alloc(6);
    expect(readInteger({ octets, position: 0, end: octets.length }, mask)).toBe(value);
    const end = writeInteger(out, 0, { value, pattern: 0, prefixMask: mask });
    expect(out.toString('hex', 0, end)).toBe(hex);
  });

  test.each([
    {
      title: 'C.2.1 literal with indexing',
      hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
      field: ['custom-key', 'custom-header'],
    },
    {
      title: 'C.2.2 literal without indexing',
      hex: '040c2f73616d706c652f70617468',
      field: [':path', '/sample/path'],
    },
    {
      title: 'C.2.3 literal never indexed',
      hex: '100870617373776f726406736563726574',
      field: ['password', 'secret'],
    },
    { title: 'C.2.4 indexed', hex: '82', field: [':method', 'GET'] },
  ])('decode() $title', ({ hex, field }) => {
    expect(decodeHex(newDecoder(), hex)).toEqual({ fields: [field], tooLarge: false });
  });

  test.each(EXAMPLES)('decode() $title', ({ tableBytes, blocks }) => {
    const decoder = newDecoder();
    if (tableBytes !== 4096) decodeHex(decoder, sizeUpdate(tableBytes));
    for (const { hex, fields, table } of blocks) {
      expect(decodeHex(decoder, hex).fields).toEqual(fields);
      const indices = table.map((_, index) => (0x80 | (62 + index)).toString(16)).join('');
      expect(decodeHex(decoder, indices).fields).toEqual(table);
      expect(() => decodeHex(newDecoder(), (0x80 | (62 + table.length)).toString(16))).toThrow(
        expect.objectContaining({ message: 'an index past the table' }),
      );
    }
  });
});
