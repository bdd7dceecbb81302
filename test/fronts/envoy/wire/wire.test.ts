import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WireError, WireReader } from '../../../../src/fronts/envoy/wire/reader.js';
import { encodeOnce, MessageWriter } from '../../../../src/fronts/envoy/wire/writer.js';

describe('MessageWriter', () => {
  test('writes what WireReader reads, whatever the text and its length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        (field, text) => {
          const reader = new WireReader(encodeOnce((w) => w.text(field, text)));
          expect(reader.tag()).toBe((field << 3) | 2);
          expect(reader.text()).toBe(text);
          expect(reader.hasMore()).toBe(false);
        },
      ),
    );
  });

  test('writes varints of every length', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        const reader = new WireReader(encodeOnce((w) => w.uint32(1, value)));
        expect(reader.tag()).toBe(8);
        expect(reader.uint32()).toBe(value);
      }),
    );
  });

  test('grows for a message of any size, and keeps what is written', () => {
    const long = 'é'.repeat(100_000);
    const bytes = encodeOnce((w) => {
      w.text(2, 'end');
      const mark = w.mark();
      w.text(1, long);
      w.endMessage(1, mark);
    });
    const reader = new WireReader(bytes);
    expect(reader.tag()).toBe(10);
    const outer = reader.enter();
    expect(reader.tag()).toBe(10);
    expect(reader.text()).toBe(long);
    reader.leave(outer);
    expect(reader.tag()).toBe(18);
    expect(reader.text()).toBe('end');
  });

  test('finish() hands out bytes of their own', () => {
    const writer = new MessageWriter();
    writer.text(1, 'first');
    const first = writer.finish();
    writer.text(1, 'other');
    writer.finish();
    expect(first.toString('latin1')).toContain('first');
  });

  test('reset() leaves nothing of a message that was given up', () => {
    const writer = new MessageWriter();
    writer.text(1, 'half of it');
    writer.reset();
    expect(writer.finish()).toHaveLength(0);
  });
});

describe('WireReader', () => {
  test.each([
    ['a varint that does not end', 'ff'],
    ['a varint of eleven bytes', 'ffffffffffffffffffffff01'],
    ['a length beyond the message', '0a05'],
    ['a fixed field that is cut', '0901'],
    ['a group', '0b'],
    ['field number 0', '00'],
  ])('refuses %s', (_name, hex) => {
    const reader = new WireReader(Buffer.from(hex, 'hex'));
    const readAll = (): void => {
      while (reader.hasMore()) reader.skip(reader.tag());
    };
    expect(() => {
      try {
        readAll();
      } catch (error) {
        throw error instanceof WireError ? new Error('refused') : error;
      }
    }).toThrow('refused');
  });

  test('never reads beyond the message, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const reader = new WireReader(Buffer.from(bytes));
        try {
          while (reader.hasMore()) reader.skip(reader.tag());
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  test('text() of bytes that are not UTF-8 is undefined', () => {
    const reader = new WireReader(Buffer.from([0x0a, 2, 0xff, 0xfe]));
    reader.tag();
    expect(reader.text()).toBeUndefined();
  });
});
