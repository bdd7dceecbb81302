import { describe, expect, test } from '@jest/globals';
import { createHpackDecoder } from '../../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { HpackError } from '../../../../../src/fronts/envoy/http2/hpack/hpack-error.js';

const bounds = { maxTableBytes: 4096, maxListBytes: 65_536 };

function decoderOf(overrides: Partial<typeof bounds> = {}) {
  const decoder = createHpackDecoder({ ...bounds, ...overrides });
  return (hex: string) => {
    const octets = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    return decoder.decode(octets, 0, octets.length);
  };
}

/** A literal with indexing and a new name, without Huffman code; lengths below 127. */
function indexed(name: string, value: string): string {
  const text = (from: string) =>
    Buffer.concat([Buffer.from([from.length]), Buffer.from(from, 'latin1')]).toString('hex');
  return `40${text(name)}${text(value)}`;
}

describe('decode()', () => {
  test.each([
    { title: 'index 0', hex: '80', message: 'index 0' },
    { title: 'the first index past an empty dynamic table', hex: 'be', message: 'an index past the table' },
    { title: 'a name with an index past the table', hex: '7f00 0161', message: 'an index past the table' },
    { title: 'an integer that the block cuts off', hex: 'ff80', message: 'the block ends within an integer' },
    {
      title: 'an integer of six continuation octets',
      hex: 'ff808080808000',
      message: 'an integer is too long',
    },
    { title: 'an integer above 2^53', hex: 'ffffffffffffffffff7f', message: 'an integer is too long' },
    { title: 'a literal without a value', hex: '000161', message: 'the block ends before an integer' },
    {
      title: 'a literal with indexing and nothing else',
      hex: '40',
      message: 'the block ends before an integer',
    },
    {
      title: 'a string longer than the block',
      hex: '00016105 6162',
      message: 'a string is longer than the block',
    },
    {
      title: 'a string of 2^35 octets',
      hex: '00 7f ffffffff7f',
      message: 'a string is longer than the block',
    },
    {
      title: 'a Huffman string longer than the block',
      hex: '0001 6182 ff',
      message: 'a string is longer than the block',
    },
    { title: 'EOS in a string', hex: '0001 6184 ffffffff', message: 'a string holds EOS' },
    { title: 'a symbol, then EOS', hex: '000161 85 1ffffffffe', message: 'a string holds EOS' },
    { title: 'padding of eight ones', hex: '0001 6181 ff', message: 'the padding of a string is too long' },
    {
      title: 'a symbol, then eleven ones',
      hex: '0001 61 82 1fff',
      message: 'the padding of a string is too long',
    },
    {
      title: 'padding of zeros',
      hex: '0001 6181 18',
      message: 'the padding of a string is not made of ones',
    },
    {
      title: 'padding with one zero',
      hex: '0001 6181 1e',
      message: 'the padding of a string is not made of ones',
    },
    {
      title: 'a code that is cut off',
      hex: '0001 6181 fe',
      message: 'the padding of a string is too long',
    },
    { title: 'a size update after a field', hex: '8220', message: 'a table size update follows a field' },
    {
      title: 'a size update above the limit',
      hex: '3fe21f',
      message: 'a table size update is above the limit',
    },
    { title: 'a size update that is cut off', hex: '3f', message: 'the block ends within an integer' },
  ])('refuses $title', ({ hex, message }) => {
    const refused = () => decoderOf()(hex);
    expect(refused).toThrow(expect.objectContaining({ message }));
    expect(refused).toThrow(expect.any(HpackError));
  });

  test.each([
    { title: 'a size padded with zeros', hex: '3f 8000 82', fields: [[':method', 'GET']] },
    { title: 'an empty block', hex: '', fields: [] },
    { title: 'an empty Huffman string', hex: '0001 6180', fields: [['a', '']] },
    { title: 'a symbol of five bits with three ones', hex: '0001 6181 1f', fields: [['a', 'a']] },
    {
      title: 'a symbol of eight bits without padding',
      hex: '0001 6181 f9',
      fields: [['a', '*']],
    },
    { title: 'octets above 127 as latin1', hex: '000161 02 ff80', fields: [['a', '\u00ff\u0080']] },
    { title: 'a size update to the limit itself', hex: '3fe11f 82', fields: [[':method', 'GET']] },
    {
      title: 'two size updates, the smallest and the last',
      hex: '20 3fe11f 82',
      fields: [[':method', 'GET']],
    },
  ])('accepts $title', ({ hex, fields }) => {
    expect(decoderOf()(hex)).toEqual({ fields, tooLarge: false });
  });

  test('reads only between start and end', () => {
    const decoder = createHpackDecoder(bounds);
    expect(decoder.decode(Buffer.from('80828680', 'hex'), 1, 3).fields).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
    ]);
    expect(() => decoder.decode(Buffer.from('0001610161', 'hex'), 0, 4)).toThrow(
      expect.objectContaining({ message: 'a string is longer than the block' }),
    );
  });

  test('keeps no view of the octets it was given', () => {
    const decoder = createHpackDecoder(bounds);
    const octets = Buffer.from(indexed('name', 'value'), 'hex');
    decoder.decode(octets, 0, octets.length);
    octets.fill(0);
    expect(decoder.decode(Buffer.from([0xbe]), 0, 1).fields).toEqual([['name', 'value']]);
  });

  test('a size update evicts the oldest entries first', () => {
    const decode = decoderOf();
    // 34 octets each
    decode(indexed('a', '1') + indexed('b', '2') + indexed('c', '3'));
    // 31 + 37: room for two
    expect(decode('3f25 be bf').fields).toEqual([
      ['c', '3'],
      ['b', '2'],
    ]);
    expect(() => decode('c0')).toThrow(expect.objectContaining({ message: 'an index past the table' }));
  });

  test('a size update to 0 empties the table, and a later one leaves it empty', () => {
    const decode = decoderOf();
    decode(indexed('a', '1'));
    decode('20 3fe11f');
    expect(() => decode('be')).toThrow(expect.objectContaining({ message: 'an index past the table' }));
  });

  test('an entry larger than the table empties it, and is no error', () => {
    const decode = decoderOf();
    // 31 + 19 = 50 octets
    decode(`3f13${indexed('a', '1')}`);
    expect(decode(indexed('long', 'v'.repeat(40))).fields).toEqual([['long', 'v'.repeat(40)]]);
    expect(() => decode('be')).toThrow(expect.objectContaining({ message: 'an index past the table' }));
  });

  test('a field may take its name from the entry that it evicts', () => {
    const decode = decoderOf();
    decode(`3f13${indexed('name', '1')}`);
    // 7e: a literal with indexing, its name from entry 62
    expect(decode('7e 01 32').fields).toEqual([['name', '2']]);
    expect(decode('be').fields).toEqual([['name', '2']]);
  });

  test('the table may hold more than 4096 octets only after a size update', () => {
    const decode = decoderOf({ maxTableBytes: 8192 });
    for (let round = 0; round < 200; round++) decode(indexed('n', String(round).padStart(3, '0')));
    // 4096 / 36 = 113 entries
    expect(decode('ff2f').fields).toEqual([['n', '087']]);
    expect(() => decode('ff30')).toThrow(expect.objectContaining({ message: 'an index past the table' }));
  });

  test('a list over the limit is tooLarge without its fields, and the table is in step', () => {
    const decode = decoderOf({ maxListBytes: 100 });
    expect(decode(indexed('a', '1') + indexed('b', '2'))).toEqual({
      fields: [
        ['a', '1'],
        ['b', '2'],
      ],
      tooLarge: false,
    });
    expect(decode(`be bf be ${indexed('c', '3')}`)).toEqual({ fields: [], tooLarge: true });
    expect(decode('be bf').fields).toEqual([
      ['c', '3'],
      ['b', '2'],
    ]);
  });

  test('one octet per field of the table size: the list is cut at its limit', () => {
    const decode = decoderOf();
    decode(indexed('a', 'v'.repeat(126)));
    const bomb = decode('be'.repeat(16_000));
    expect(bomb).toEqual({ fields: [], tooLarge: true });
  });

  test('a fault after the limit of the list is still a fault', () => {
    const decode = decoderOf({ maxListBytes: 10 });
    expect(() => decode('82 80')).toThrow(expect.objectContaining({ message: 'index 0' }));
  });
});

describe('createHpackDecoder()', () => {
  test('refuses a table smaller than what the peer starts with', () => {
    expect(() => createHpackDecoder({ maxTableBytes: 4095, maxListBytes: 1 })).toThrow(RangeError);
  });
});
