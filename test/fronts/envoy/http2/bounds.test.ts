/** Hostile peers: each bound, and the line between them and an Envoy that cancels in masses. */
import { describe, expect, test } from '@jest/globals';
import { Flag, FrameType } from '../../../../src/fronts/envoy/http2/frames.js';
import { DEFAULT_LIMITS } from '../../../../src/fronts/envoy/http2/limits.js';
import type { RequestHandler } from '../../../../src/fronts/envoy/http2/stream.js';
import { answer, data, frame, headers, ping, reset, settings, windowUpdate, WirePeer } from './wire-peer.js';

const CALM = /^GOAWAY \d+ 11$/;
const silent: RequestHandler = { begin: () => undefined };

/** Sends until the connection is cut. @returns how often */
function flood(peer: WirePeer, next: (turn: number) => Buffer[], most = 50_000): number {
  for (let turn = 0; turn < most; turn++) {
    peer.send(...next(turn));
    if (peer.socket.isEnded || peer.socket.destroyed) return turn + 1;
    if (turn % 64 === 0) peer.socket.writes.length = 0;
  }
  return Infinity;
}

describe('one budget for what moves no call forward', () => {
  const id = (turn: number): number => 2 * turn + 1;
  const rows: [reason: string, name: string, next: (turn: number) => Buffer[]][] = [
    [
      'early_reset',
      'rapid reset (CVE-2023-44487)',
      (turn) => [headers(id(turn), { end: false }), reset(id(turn))],
    ],
    [
      'early_reset',
      'RST_STREAM of streams that are over',
      (turn) => (turn === 0 ? [headers(1)] : [reset(1)]),
    ],
    [
      'own_reset',
      'requests that make this side reset',
      (turn) => [headers(id(turn), { fields: [[':method', 'GET']] })],
    ],
    [
      'own_reset',
      'windows past 2^31-1 (CVE-2025-8671)',
      (turn) => [headers(id(turn), { end: false }), windowUpdate(id(turn), 0x7fff_ffff)],
    ],
    ['ping', 'PING (CVE-2019-9512)', () => [ping()]],
    ['ping', 'answers to no PING', () => [ping('abcdefgh', Flag.ACK)]],
    ['settings', 'SETTINGS (CVE-2019-9515)', () => [settings()]],
    ['settings', 'ACK of no SETTINGS', () => [frame(FrameType.SETTINGS, Flag.ACK)]],
    ['priority', 'PRIORITY (CVE-2019-9513)', () => [frame(FrameType.PRIORITY, 0, 9, Buffer.alloc(5))]],
    [
      'empty_data',
      'empty DATA (CVE-2019-9518)',
      (turn) => [turn === 0 ? headers(1, { end: false }) : data(1, '', false)],
    ],
    [
      'window_update',
      'WINDOW_UPDATE of one byte',
      (turn) => [turn === 0 ? headers(1, { end: false }) : windowUpdate(turn % 2, 1)],
    ],
    ['unknown_frame', 'unknown frames', () => [frame(0x42)]],
  ];

  test.each(rows)('%s: %s is cut', (reason, _name, next) => {
    const peer = new WirePeer({ handler: silent });
    expect(flood(peer, next)).toBeLessThanOrEqual(DEFAULT_LIMITS.budget.capacity + 2);
    expect(peer.heard().at(-1)).toMatch(CALM);
    expect(peer.cuts).toEqual([reason]);
  });

  test.each([
    ['WINDOW_UPDATE of nothing', [windowUpdate(1, 0)]],
    ['DATA behind END_STREAM', [data(1, ''), data(1, '')]],
    ['HEADERS behind END_STREAM', [data(1, ''), headers(1)]],
    ['PRIORITY of a wrong length', [frame(FrameType.PRIORITY, 0, 1, Buffer.alloc(4))]],
    ['PRIORITY on itself', [frame(FrameType.PRIORITY, 0, 1, Buffer.from('0000000100', 'hex'))]],
  ])('what makes other servers reset (CVE-2025-8671) ends the connection at once: %s', (_name, frames) => {
    const peer = new WirePeer({ handler: silent }).send(headers(1, { end: false }));
    peer.received();
    peer.send(...frames);
    expect(peer.heard().filter((each) => each.startsWith('RST_STREAM'))).toEqual([]);
    expect(peer.socket.isEnded).toBe(true);
  });

  test('the budget fills with time, and with answers', () => {
    const { perSecond } = DEFAULT_LIMITS.budget;
    const peer = new WirePeer();
    for (let second = 0; second < 60; second++) {
      peer.nowMs += 1000;
      peer.send(...Array.from({ length: perSecond / 10 }, () => ping()));
    }
    for (let turn = 0; turn < 5000; turn++) peer.send(headers(2 * turn + 1), ping());
    expect(peer.cuts).toEqual([]);
  });
});

describe('an honest Envoy', () => {
  test('whose deadlines pass in masses, a thousand streams every 200 ms for minutes, is not cut', () => {
    const peer = new WirePeer({ handler: silent });
    let next = 1;
    for (let round = 0; round < 600; round++) {
      const ids = Array.from({ length: 1000 }, () => (next += 2));
      peer.send(...ids.map((each) => headers(each)));
      peer.nowMs += 200;
      peer.send(...ids.map(reset));
    }
    expect(peer.cuts).toEqual([]);
  });

  test('that cancels all its streams while this process stood still for a second is not cut', () => {
    const peer = new WirePeer({ handler: silent });
    // What lies in the socket then: five generations of a thousand streams, each with its RST_STREAM, read at one time.
    let next = 1;
    for (let round = 0; round < 5; round++) {
      const ids = Array.from({ length: 1000 }, () => (next += 2));
      peer.send(...ids.map((each) => headers(each)), ...ids.map(reset));
    }
    expect(peer.cuts).toEqual([]);
  });

  test('whose clients hang up at once, one call in two, is not cut', () => {
    const peer = new WirePeer();
    for (let turn = 0; turn < 40_000; turn += 2) {
      peer.send(headers(2 * turn + 1), headers(2 * turn + 3, { end: false }), reset(2 * turn + 3));
      peer.socket.writes.length = 0;
    }
    expect(peer.cuts).toEqual([]);
  });
});

describe('field blocks', () => {
  test('CONTINUATION without end (CVE-2024-27316) is cut by number, and by size', () => {
    const open = headers(1, { flags: 0 });
    const small = new WirePeer().send(open);
    expect(flood(small, () => [frame(FrameType.CONTINUATION, 0, 1, Buffer.of(0x82))])).toBe(
      DEFAULT_LIMITS.continuations + 1,
    );
    const large = new WirePeer().send(open);
    expect(flood(large, () => [frame(FrameType.CONTINUATION, 0, 1, Buffer.alloc(16_384))])).toBe(4);
    for (const peer of [small, large])
      expect([peer.heard().at(-1), peer.cuts]).toEqual([expect.stringMatching(CALM), ['header_block']]);
  });

  test('a small block that is a large list is answered 431, and its fields are not kept', () => {
    const filler = Buffer.concat([Buffer.of(0x40, 1, 0x61, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, 0x62)]);
    const bomb = Buffer.concat([headers(1).subarray(9), filler, Buffer.alloc(12_000, 0x80 | 62)]);
    const peer = new WirePeer().send(frame(FrameType.HEADERS, 5, 1, bomb), headers(3));
    expect(peer.heard().slice(0, 2)).toEqual(['HEADERS 1 :status=431 end', 'HEADERS 3 :status=200']);
  });
});

describe('answers that the peer does not take', () => {
  const large = Buffer.alloc(100_000);
  const handler: RequestHandler = {
    begin: (stream) => {
      answer(stream, large);
      return undefined;
    },
  };
  const limits = { pauseQueuedBytes: 250_000, queuedBytes: 1_000_000 };

  test('a slow reader: nothing more is read from it until it has taken what waits', () => {
    const peer = new WirePeer({ handler, limits }).send(settings([4, 1_000_000]), windowUpdate(0, 1_000_000));
    peer.socket.isTaking = false;
    for (const id of [1, 3, 5]) peer.send(headers(id));
    expect([peer.socket.isPaused, peer.cuts]).toEqual([true, []]);
    peer.socket.writableLength = 0;
    peer.connection.drained();
    expect(peer.socket.isPaused).toBe(false);
  });

  test('zero windows: what waits is bounded', () => {
    const peer = new WirePeer({ handler, limits }).send(settings([4, 0]));
    expect(flood(peer, (turn) => [headers(2 * turn + 1)])).toBe(11);
    expect([peer.cuts, peer.socket.destroyed]).toEqual([['queued_bytes'], true]);
  });

  test('all connections together have a bound; who queues much is cut, and nobody else', () => {
    const peer = new WirePeer({ handler, limits: { ...limits, processQueuedBytes: 500_000 } }).send(
      settings([4, 0]),
    );
    peer.queued.set({}, 400_000);
    peer.send(headers(1));
    expect(peer.cuts).toEqual([]);
    peer.send(headers(3), headers(5));
    expect(peer.cuts).toEqual(['queued_bytes']);
    peer.connection.closed();
    expect(peer.queued.isOver).toBe(false);
  });

  test.each([
    ['zero windows', (peer: WirePeer) => peer.send(settings([4, 0]), headers(1))],
    [
      'a reader that stopped',
      (peer: WirePeer) => {
        peer.socket.isTaking = false;
        peer.send(settings([4, 1_000_000]), windowUpdate(0, 1_000_000), headers(1));
      },
    ],
  ])('%s without any progress are cut by the stall timer', async (_name, stall) => {
    const peer = new WirePeer({ handler });
    stall(peer);
    await peer.pass(0);
    await peer.pass(29_000);
    expect(peer.cuts).toEqual([]);
    await peer.pass(2000);
    expect(peer.cuts).toEqual(['stalled']);
  });

  test('a reader that is slow, and goes on, is not', async () => {
    const peer = new WirePeer({ handler }).send(settings([4, 1_000_000]), windowUpdate(0, 1_000_000));
    peer.socket.isTaking = false;
    peer.send(headers(1));
    for (let turn = 0; turn < 20; turn++) {
      peer.socket.writableLength -= 1000;
      peer.connection.receive(ping('abcdefgh', Flag.ACK));
      await peer.pass(20_000);
    }
    expect(peer.cuts).toEqual([]);
  });
});
