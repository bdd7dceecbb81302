import { describe, expect, test } from '@jest/globals';
import { ConnectionError } from '../../../../src/fronts/envoy/http2/errors.js';
import { FrameReader } from '../../../../src/fronts/envoy/http2/frame-reader.js';
import { data, frame, headers, ping } from './wire-peer.js';

type Taken = [type: number, flags: number, id: number, payload: string];

function collect(): { reader: FrameReader; taken: Taken[]; views: Buffer[] } {
  const taken: Taken[] = [];
  const views: Buffer[] = [];
  const reader = new FrameReader(({ length, type, flags, streamId }, bytes, start) => {
    const payload = bytes.subarray(start, start + length);
    views.push(payload);
    taken.push([type, flags, streamId, payload.toString('latin1')]);
  });
  return { reader, taken, views };
}

const FRAMES = [
  ping(),
  headers(1, { end: false }),
  data(1, 'a body of some length', false),
  data(1, ''),
  frame(0x20, 255, 9),
];
const BYTES = Buffer.concat(FRAMES);
const WHOLE = (() => {
  const { reader, taken } = collect();
  reader.read(BYTES, 0);
  return taken;
})();

describe('FrameReader.read()', () => {
  test('reads all frames of a chunk, where they lie', () => {
    const { reader, views } = collect();
    reader.read(BYTES, 0);
    expect(WHOLE.map(([type]) => type)).toEqual([6, 1, 0, 0, 0x20]);
    expect(views.every((view) => view.buffer === BYTES.buffer)).toBe(true);
  });

  test('reads the same frames wherever two cuts divide them', () => {
    for (let first = 0; first <= BYTES.length; first++) {
      for (let second = first; second <= BYTES.length; second += 3) {
        const { reader, taken } = collect();
        for (const part of [BYTES.subarray(0, first), BYTES.subarray(first, second), BYTES.subarray(second)])
          reader.read(Buffer.from(part), 0);
        expect(taken).toEqual(WHOLE);
      }
    }
  });

  test('reads the same frames byte by byte', () => {
    const { reader, taken } = collect();
    for (const byte of BYTES) reader.read(Buffer.of(byte), 0);
    expect(taken).toEqual(WHOLE);
  });

  test('a payload that was collected is not overwritten by what follows', () => {
    const { reader, views } = collect();
    for (const letter of ['a', 'b']) {
      const bytes = data(1, letter.repeat(50));
      reader.read(bytes.subarray(0, 20), 0);
      reader.read(bytes.subarray(20), 0);
    }
    expect(views.map(String)).toEqual(['a'.repeat(50), 'b'.repeat(50)]);
  });

  test('a payload that was collected does not hold the chunk it came in', () => {
    const { reader, views } = collect();
    const bytes = data(1, 'abcdef');
    reader.read(Buffer.concat([bytes.subarray(0, 12), NO_MORE]), 0);
    reader.read(Buffer.concat([bytes.subarray(12), Buffer.alloc(60_000)]).subarray(0, bytes.length - 12), 0);
    expect(views[0]?.buffer.byteLength).toBe(bytes.length);
  });

  test('refuses a frame larger than SETTINGS_MAX_FRAME_SIZE at its header, before anything is kept', () => {
    const { reader } = collect();
    const header = Buffer.of(0, 0x40, 1, 0, 0, 0, 0, 0, 1);
    expect(() => reader.read(header, 0)).toThrow(ConnectionError);
  });
});

const NO_MORE = Buffer.alloc(0);
