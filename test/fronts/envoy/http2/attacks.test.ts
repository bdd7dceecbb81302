/** What hostile peers do to a connection, where each is cut, and what honest ones may do without being cut. */
import { describe, expect, test } from '@jest/globals';
import { encodeFields } from '../../../../src/fronts/envoy/http2/hpack/encoder.js';
import { COSTS, DEFAULT_LIMITS } from '../../../../src/fronts/envoy/http2/limits.js';
import { QueuedBytes } from '../../../../src/fronts/envoy/http2/queued-bytes.js';
import { ECHO, PATIENT, Peer, type PeerOptions } from './peer.js';
import {
  call,
  CODE,
  data,
  FLAG,
  frame,
  grpcMessage,
  headers,
  HELLO,
  numberFrame,
  PREFACE,
  requestFields,
  settings,
  TYPE,
} from './wire-frames.js';

const { budget } = DEFAULT_LIMITS;
const odd = (round: number): number => 2 * round + 1;
const open = (id: number, path = PATIENT): Buffer => headers(id, requestFields(path));
const reset = (id: number): Buffer => numberFrame(TYPE.RST_STREAM, id, CODE.CANCEL);

/** The client's SETTINGS is paid for too. */
const AFTER_HELLO = budget.capacity - COSTS.settings;

const FLOODS = [
  {
    title: 'rapid reset (CVE-2023-44487)',
    reason: 'early_reset',
    frames: (round: number) => Buffer.concat([open(odd(round)), reset(odd(round))]),
    cost: COSTS.early_reset,
  },
  {
    title: 'resets of calls that are being decided',
    reason: 'early_reset',
    frames: (round: number) => Buffer.concat([call(odd(round), PATIENT, Buffer.of(1)), reset(odd(round))]),
    cost: COSTS.early_reset,
    // Past its handlers a connection's calls are refused at once.
    limits: { handlers: 1_000_000 },
  },
  {
    title: 'MadeYouReset (CVE-2025-8671) with a window past its bound',
    reason: 'own_reset',
    frames: (round: number) =>
      Buffer.concat([open(odd(round)), numberFrame(TYPE.WINDOW_UPDATE, odd(round), 0x7fff_ffff)]),
    cost: COSTS.own_reset + COSTS.window_update,
  },
  {
    title: 'MadeYouReset with a body of another length than announced',
    reason: 'own_reset',
    frames: (round: number) =>
      Buffer.concat([
        headers(odd(round), requestFields(PATIENT, [['content-length', '1']])),
        data(odd(round), Buffer.alloc(2)),
      ]),
    cost: COSTS.own_reset,
  },
  {
    title: 'MadeYouReset with malformed requests',
    reason: 'own_reset',
    frames: (round: number) => headers(odd(round), [[':method', 'POST']]),
    cost: COSTS.own_reset,
  },
  {
    title: 'PING',
    reason: 'ping',
    frames: () => frame(TYPE.PING, 0, 0, Buffer.alloc(8)),
    cost: COSTS.ping,
  },
  {
    title: 'PING acknowledgements',
    reason: 'ping',
    frames: () => frame(TYPE.PING, FLAG.ACK, 0, Buffer.alloc(8)),
    cost: COSTS.ping,
  },
  { title: 'SETTINGS', reason: 'settings', frames: () => settings([4, 1000]), cost: COSTS.settings },
  {
    title: 'SETTINGS acknowledgements',
    reason: 'settings',
    frames: () => frame(TYPE.SETTINGS, FLAG.ACK, 0),
    cost: COSTS.settings,
  },
  {
    title: 'PRIORITY',
    reason: 'priority',
    frames: () => frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(5)),
    cost: COSTS.priority,
  },
  {
    title: 'empty DATA',
    reason: 'empty_data',
    frames: (round: number) =>
      Buffer.concat([round === 0 ? open(1) : Buffer.alloc(0), data(1, Buffer.alloc(0))]),
    cost: COSTS.empty_data,
  },
  {
    title: 'DATA of nothing but padding',
    reason: 'empty_data',
    frames: (round: number) =>
      Buffer.concat([
        round === 0 ? open(1) : Buffer.alloc(0),
        frame(TYPE.DATA, FLAG.PADDED, 1, Buffer.of(3, 0, 0, 0)),
      ]),
    cost: COSTS.empty_data,
  },
  {
    title: 'tiny windows',
    reason: 'window_update',
    frames: () => numberFrame(TYPE.WINDOW_UPDATE, 0, 1),
    cost: COSTS.window_update,
  },
  {
    title: 'frames of unknown types',
    reason: 'unknown_frame',
    frames: () => frame(0xbb, 0, 0, Buffer.alloc(3)),
    cost: COSTS.unknown_frame,
  },
];

describe('a flood of what moves no call forward', () => {
  test.each(FLOODS)('$title is cut at the budget', ({ reason, frames, cost, limits }) => {
    const peer = new Peer(limits === undefined ? {} : { limits }).hello();
    const rounds = peer.flood(frames, 2 * budget.capacity);
    expect(rounds).toBe(Math.floor(AFTER_HELLO / cost) + 1);
    expect({ cuts: peer.cuts, goAway: peer.goAway }).toEqual({
      cuts: [reason],
      goAway: CODE.ENHANCE_YOUR_CALM,
    });
    expect(peer.socket.isEnded).toBe(true);
  });

  test('the budget fills again with time, and not beyond its size', () => {
    const peer = new Peer().hello();
    const ping = (): Buffer => frame(TYPE.PING, 0, 0, Buffer.alloc(8));
    const perSecond = budget.perSecond / COSTS.ping;
    peer.flood(ping, Math.floor(AFTER_HELLO / COSTS.ping));
    for (let second = 0; second < 20; second++) {
      peer.pass(1000);
      expect(peer.flood(ping, perSecond)).toBe(perSecond);
    }
    expect(peer.cuts).toEqual([]);
    peer.pass(36_000);
    expect(peer.flood(ping, 2 * budget.capacity)).toBeLessThanOrEqual(budget.capacity / COSTS.ping + 2);
  });

  test('what was received with a GOAWAY of ours is thrown away', () => {
    const peer = new Peer().hello();
    peer.send(frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(4)), call(1, ECHO, Buffer.of(1)));
    const before = peer.socket.frames.length;
    peer.send(call(3, ECHO, Buffer.of(2)));
    expect(peer.socket.frames.length).toBe(before);
    expect(peer.socket.frames.some(({ type }) => type === TYPE.HEADERS)).toBe(false);
    expect(peer.goAway).toBe(CODE.PROTOCOL_ERROR);
  });
});

describe('an honest Envoy whose deadlines pass in masses', () => {
  const massReset = (peer: Peer, first: number, count: number, ageMs: number): number => {
    const ids = Array.from({ length: count }, (_, index) => first + 2 * index);
    peer.send(...ids.map((id) => call(id, PATIENT, Buffer.of(1))));
    peer.nowMs += ageMs;
    peer.send(...ids.map(reset));
    return first + 2 * count;
  };

  test('a thousand calls at once, twelve times over, older than honestStreamMs: not cut', () => {
    const peer = new Peer().hello();
    let next = 1;
    for (let round = 0; round < 12; round++) {
      next = massReset(peer, next, DEFAULT_LIMITS.streams, DEFAULT_LIMITS.honestStreamMs);
      peer.answers.splice(0).forEach((answer) => answer(Buffer.of(1)));
    }
    expect(peer.cuts).toEqual([]);
  });

  test('younger ones count: the line is the capacity, ten times all its streams at once', () => {
    const peer = new Peer({ limits: { handlers: 1_000_000 } }).hello();
    let next = 1;
    const masses = Math.floor(AFTER_HELLO / DEFAULT_LIMITS.streams);
    for (let round = 0; round < masses; round++) next = massReset(peer, next, DEFAULT_LIMITS.streams, 0);
    expect(peer.cuts).toEqual([]);
    massReset(peer, next, DEFAULT_LIMITS.streams, 0);
    expect(peer.cuts).toEqual(['early_reset']);
  });

  test('with one answer for ten cancelled calls it goes on for ever', () => {
    const peer = new Peer({ limits: { handlers: 1_000_000 } }).hello();
    let next = 1;
    for (let round = 0; round < 12; round++) {
      next = massReset(peer, next, DEFAULT_LIMITS.streams, 1);
      for (let answered = 0; answered < DEFAULT_LIMITS.streams / 10; answered++, next += 2)
        peer.send(call(next, ECHO, Buffer.of(1)));
    }
    expect(peer.cuts).toEqual([]);
  });
});

describe('field blocks', () => {
  const begin = frame(TYPE.HEADERS, 0, 1, encodeFields(requestFields(ECHO)));

  test('CONTINUATION without end (CVE-2024-27316) is cut by frames', () => {
    const peer = new Peer().hello().send(begin);
    const rounds = peer.flood(() => frame(TYPE.CONTINUATION, 0, 1), 1000);
    expect(rounds).toBe(DEFAULT_LIMITS.continuations + 1);
    expect({ cuts: peer.cuts, goAway: peer.goAway }).toEqual({
      cuts: ['header_block'],
      goAway: CODE.ENHANCE_YOUR_CALM,
    });
  });

  test('CONTINUATION without end is cut by bytes', () => {
    const peer = new Peer().hello().send(begin);
    const rounds = peer.flood(() => frame(TYPE.CONTINUATION, 0, 1, Buffer.alloc(16_384)), 1000);
    expect(rounds * 16_384).toBeLessThanOrEqual(2 * DEFAULT_LIMITS.headerListBytes + 16_384);
    expect(peer.cuts).toEqual(['header_block']);
  });

  test('a block that drips is cut after headerMs', () => {
    const peer = new Peer().hello().send(begin);
    peer.pass(DEFAULT_LIMITS.headerMs);
    expect(peer.cuts).toEqual([]);
    peer.pass(1);
    expect(peer.cuts).toEqual(['slow_header_block']);
  });

  test('a list past its size is answered 431, and the table is in step for the next call', () => {
    const peer = new Peer().hello();
    const value = Buffer.alloc(3000, 'v');
    // x: v… is added to the table, then named again and again by one octet.
    const added = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xb9, 0x16]), value]);
    const bomb = Buffer.concat([encodeFields(requestFields(ECHO)), added, Buffer.alloc(5000, 0xbe)]);
    peer.send(frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, bomb));
    const [answer] = peer.socket.frames.filter(({ id }) => id === 1);
    expect(answer!.payload.includes('431')).toBe(true);
    expect(peer.cuts).toEqual([]);
    peer.send(
      frame(
        TYPE.HEADERS,
        FLAG.END_HEADERS,
        3,
        Buffer.concat([encodeFields(requestFields(ECHO)), Buffer.of(0xbe)]),
      ),
      data(3, grpcMessage(Buffer.from('mark')), { end: true }),
    );
    expect(peer.socket.frames.some(({ id, payload }) => id === 3 && payload.includes('mark'))).toBe(true);
  });

  test.each([
    { title: 'an integer without end', block: Buffer.alloc(40, 0xff) },
    { title: 'an index past the table', block: Buffer.of(0xbe) },
    { title: 'a table size above what was said', block: Buffer.of(0x3f, 0xe2, 0x1f) },
    { title: 'a Huffman string that holds EOS', block: Buffer.of(0, 1, 0x61, 0x84, 255, 255, 255, 255) },
  ])('$title is COMPRESSION_ERROR', ({ block }) => {
    const peer = new Peer().hello().send(frame(TYPE.HEADERS, FLAG.END_HEADERS, 1, block));
    expect({ cuts: peer.cuts, goAway: peer.goAway }).toEqual({
      cuts: ['protocol_error'],
      goAway: CODE.COMPRESSION_ERROR,
    });
  });
});

describe('time and memory', () => {
  test('a connection without a preface is cut after headerMs', () => {
    const peer = new Peer().send(PREFACE.subarray(0, 10));
    peer.pass(DEFAULT_LIMITS.headerMs + 1);
    expect(peer.cuts).toEqual(['no_preface']);
  });

  test('a body that drips costs its stream after bodyMs, and nothing of it is held then', () => {
    const peer = new Peer().hello().send(open(1), data(1, grpcMessage(Buffer.alloc(1000)).subarray(0, 100)));
    expect(peer.bodies.used).toBeGreaterThan(0);
    for (let ms = 0; ms <= DEFAULT_LIMITS.bodyMs; ms += 1000) peer.pass(1000).send(data(1, Buffer.of(0)));
    expect(peer.resets(1)).toEqual([CODE.CANCEL]);
    expect(peer.bodies.used).toBe(0);
    expect(peer.cuts).toEqual([]);
  });

  test('a zero window is cut after stallMs without progress', () => {
    const peer = new Peer().send(PREFACE, settings([4, 0]), call(1, ECHO, Buffer.from('mark')));
    peer.pass(DEFAULT_LIMITS.stallMs - 1);
    // Progress, octet by octet, counts; so does the budget.
    peer.send(numberFrame(TYPE.WINDOW_UPDATE, 1, 1));
    peer.pass(DEFAULT_LIMITS.stallMs - 1);
    expect(peer.cuts).toEqual([]);
    peer.pass(2);
    expect({ cuts: peer.cuts, goAway: peer.goAway }).toEqual({
      cuts: ['stalled'],
      goAway: CODE.ENHANCE_YOUR_CALM,
    });
  });

  test('a reader that stopped: no more is read past one bound, and it is cut at the other', () => {
    const peer = new Peer().hello();
    peer.socket.isStuck = true;
    let next = 1;
    // The flood of a peer that goes on sending although nothing is read: chunks that were on their way.
    const large = (): Buffer => call((next += 2), ECHO, Buffer.alloc(16_000));
    peer.send(numberFrame(TYPE.WINDOW_UPDATE, 0, 0x3fff_ffff));
    while (!peer.socket.isPaused) peer.send(large());
    expect(peer.socket.writableLength).toBeLessThanOrEqual(DEFAULT_LIMITS.pauseQueuedBytes + 17_000);
    peer.flood(large, 10_000);
    expect(peer.socket.writableLength).toBeLessThanOrEqual(DEFAULT_LIMITS.queuedBytes + 17_000);
    expect(peer.socket.destroyed).toBe(true);
    expect(peer.cuts).toEqual(['queued_bytes']);
  });

  test('a reader that stopped with little queued is cut after stallMs', () => {
    const peer = new Peer().hello();
    peer.socket.isStuck = true;
    peer.send(call(1, ECHO, Buffer.of(1))).pass(1);
    peer.pass(DEFAULT_LIMITS.stallMs + 1);
    expect(peer.cuts).toEqual(['stalled']);
  });

  test('many slow readers together are bounded by the process, each far below its own bound', () => {
    const processQueuedBytes = 1_000_000;
    const queued = new QueuedBytes(processQueuedBytes);
    const peers = Array.from({ length: 100 }, () => {
      const peer = new Peer({ queued, limits: { processQueuedBytes, connections: 100 } }).hello();
      peer.socket.isStuck = true;
      return peer;
    });
    for (let id = 1; id < 20; id += 2)
      for (const peer of peers) if (!peer.socket.destroyed) peer.send(call(id, ECHO, Buffer.alloc(5000)));
    const held = peers.filter(({ socket }) => !socket.destroyed).map(({ socket }) => socket.writableLength);
    expect(held.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(processQueuedBytes + 10_000);
    expect(new Set(peers.flatMap(({ cuts }) => cuts))).toEqual(new Set(['queued_bytes']));
  });

  test('bodies that never end are bounded together, and what is past the bound is refused', () => {
    const limits: PeerOptions['limits'] = { connectionBodyBytes: 100_000 };
    const peer = new Peer({ limits }).hello();
    for (let id = 1; id < 101; id += 2)
      peer.send(open(id, ECHO), data(id, Buffer.concat([grpcMessage(Buffer.alloc(3000)).subarray(0, 2500)])));
    expect(peer.bodies.used).toBeLessThanOrEqual(100_000);
    expect(peer.socket.frames.filter(({ payload }) => payload.includes('refused')).length).toBeGreaterThan(0);
    expect(peer.cuts).toEqual([]);
    peer.connection.closed();
    expect(peer.bodies.used).toBe(0);
  });

  test('handlers under way are counted apart from streams: resets do not make room', () => {
    const peer = new Peer({ limits: { handlers: 10 } }).hello();
    for (let round = 0; round < 30; round++)
      peer.send(call(odd(round), PATIENT, Buffer.of(1)), reset(odd(round)));
    expect(peer.answers.length).toBe(10);
    expect(peer.grpc.underWay).toBe(10);
    peer.answers.forEach((answer) => answer(Buffer.of(1)));
  });

  test('streams past the limit are refused, and may be asked again', () => {
    const peer = new Peer({ limits: { streams: 3 } }).hello();
    peer.send(...[1, 3, 5, 7].map((id) => open(id)));
    expect(peer.resets(7)).toEqual([CODE.REFUSED_STREAM]);
    expect(peer.cuts).toEqual([]);
  });

  test('more DATA than the windows allow is FLOW_CONTROL_ERROR', () => {
    const peer = new Peer({ limits: { streamWindow: 65_535, connectionWindow: 65_535 } }).hello();
    peer.send(open(1));
    // One chunk: what is granted meanwhile cannot have been heard.
    const frames = Array.from({ length: 9 }, () => data(1, Buffer.alloc(16_384)));
    peer.send(...frames);
    expect([CODE.FLOW_CONTROL_ERROR, undefined]).toContain(peer.goAway);
  });

  test('a peer that says nothing and does not answer PING is cut', () => {
    const peer = new Peer().hello().send(open(1));
    peer.pass(DEFAULT_LIMITS.bodyMs + 1);
    peer.pass(DEFAULT_LIMITS.keepaliveMs);
    expect(peer.socket.frames.at(-1)).toMatchObject({ type: TYPE.PING, flags: 0 });
    peer.pass(DEFAULT_LIMITS.keepaliveTimeoutMs + 1);
    expect(peer.cuts).toEqual(['keepalive']);
  });

  test('after its GOAWAY a connection whose peer stays is destroyed', () => {
    const peer = new Peer().send(HELLO, frame(TYPE.PING, 0, 1, Buffer.alloc(8)));
    expect(peer.goAway).toBe(CODE.PROTOCOL_ERROR);
    peer.pass(2000);
    expect(peer.socket.destroyed).toBe(true);
  });
});
