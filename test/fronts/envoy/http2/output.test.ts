import { describe, expect, test } from '@jest/globals';
import { Output } from '../../../../src/fronts/envoy/http2/output.js';
import { WirePeer, answer, data, echo, frame, headers } from './wire-peer.js';
import type { Stream } from '../../../../src/fronts/envoy/http2/stream.js';

function collect() {
  const writes: Buffer[] = [];
  const corks: string[] = [];
  const wire = {
    write: (bytes: Uint8Array) => writes.push(bytes as Buffer) > 0,
    cork: () => void corks.push('cork'),
    uncork: () => void corks.push('uncork'),
  };
  return { writes, corks, wire };
}

describe('Output', () => {
  test('flush() hands over all frames in one write, and nothing when there are none', () => {
    const { writes, wire } = collect();
    const output = new Output();
    output.frame(0, 1, 5, Buffer.from('ab'), Buffer.from('cd'));
    output.number(8, 0, 77);
    output.flush(wire);
    output.flush(wire);
    expect(writes).toEqual([
      Buffer.concat([frame(0, 1, 5, Buffer.from('abcd')), frame(8, 0, 0, Buffer.of(0, 0, 0, 77))]),
    ]);
  });

  test('bytes that the socket was given are never written to again', () => {
    const { writes, wire } = collect();
    const output = new Output();
    const expected: Buffer[] = [];
    for (let turn = 0; turn < 3000; turn++) {
      const payload = Buffer.alloc(turn % 97, turn);
      expected.push(frame(0, 0, turn, payload));
      output.frame(0, 0, turn, payload);
      output.flush(wire);
    }
    expect(Buffer.concat(writes).equals(Buffer.concat(expected))).toBe(true);
  });

  test('frames larger than a block, and more of them than one holds, keep their order and leave corked together', () => {
    const { writes, corks, wire } = collect();
    const output = new Output();
    const expected: Buffer[] = [];
    for (let i = 1; i < 40; i++) {
      const payload = Buffer.alloc(i * 400, i);
      expected.push(frame(0, 0, i, payload));
      output.frame(0, 0, i, payload);
    }
    output.flush(wire);
    expect(Buffer.concat(writes).equals(Buffer.concat(expected))).toBe(true);
    expect(corks).toEqual(['cork', 'uncork']);
  });

  test('HEADERS, DATA and trailers of all answers of a chunk leave in one write', () => {
    const peer = new WirePeer();
    peer.send(...[1, 3, 5].flatMap((id) => [headers(id, { end: false }), data(id, `body ${id}`)]));
    expect(peer.socket.writes).toHaveLength(1);
    expect(peer.heard()).toHaveLength(9);
  });

  test('answers that come later in one turn leave in one write, too', async () => {
    const streams: Stream[] = [];
    const peer = new WirePeer({
      handler: { ...echo, begin: (stream) => void streams.push(stream) },
    });
    peer.send(headers(1), headers(3), headers(5));
    for (const stream of streams) answer(stream, Buffer.from(String(stream.id)));
    expect(peer.socket.writes).toHaveLength(0);
    await peer.pass(0);
    expect(peer.socket.writes).toHaveLength(1);
    expect(peer.heard().filter((each) => each.startsWith('DATA'))).toEqual([
      'DATA 1 1',
      'DATA 3 3',
      'DATA 5 5',
    ]);
  });
});
