/** Unary gRPC over streams, with any methods. */
import { describe, expect, test } from '@jest/globals';
import { ByteBudget } from '../../../../../src/fronts/envoy/http2/byte-budget.js';
import { FrameType } from '../../../../../src/fronts/envoy/http2/frames.js';
import { GrpcHandler, type GrpcHandlerOptions } from '../../../../../src/fronts/envoy/http2/grpc/handler.js';
import type {
  GrpcCall,
  StreamingMethod,
  UnaryMethod,
} from '../../../../../src/fronts/envoy/http2/grpc/service.js';
import { GrpcFailure, GrpcStatus } from '../../../../../src/fronts/envoy/http2/grpc/status.js';
import { data, type Fields, frame, headers, reset, uint32, WirePeer } from '../wire-peer.js';

const NOW = 1_000_000;

function message(text: string, { flag = 0, length = text.length } = {}): Buffer {
  return Buffer.concat([Buffer.of(flag), uint32(length), Buffer.from(text)]);
}

function call(
  id: number,
  { path = '/s/Echo', end = false, method = 'POST', more = [] as Fields, type = 'application/grpc' } = {},
): Buffer {
  const fields: Fields = [
    [':method', method],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'gate'],
    ['content-type', type],
    ['te', 'trailers'],
    ...more,
  ];
  return headers(id, { fields, end });
}

interface Waiting {
  readonly text: string;
  resolve(bytes: Buffer): void;
}

function start(over: Partial<GrpcHandlerOptions> = {}) {
  const calls: { call: GrpcCall; message: Buffer }[] = [];
  const waiting: Waiting[] = [];
  const methods = new Map<string, UnaryMethod | StreamingMethod>([
    [
      '/s/Echo',
      {
        kind: 'unary',
        handle: (bytes, about) => {
          calls.push({ call: about, message: bytes });
          return Buffer.from(bytes);
        },
        refuse: (why) => Buffer.from(why),
      },
    ],
    [
      '/s/Wait',
      {
        kind: 'unary',
        handle: (bytes) =>
          new Promise<Buffer>((resolve) => waiting.push({ text: bytes.toString(), resolve })),
      },
    ],
    [
      '/s/Fail',
      {
        kind: 'unary',
        handle: (bytes) => {
          if (bytes.length > 0) throw new TypeError('secret');
          throw new GrpcFailure(GrpcStatus.NOT_FOUND, 'nö%');
        },
      },
    ],
    ['/s/Reject', { kind: 'unary', handle: () => Promise.reject(new TypeError('secret')) }],
  ]);
  const bodies = new ByteBudget(10_000);
  const handler = new GrpcHandler({
    methods,
    bodies,
    maxHandlers: 2,
    maxMessageBytes: () => 5000,
    now: () => NOW,
    ...over,
  });
  return { peer: new WirePeer({ handler }), calls, waiting, bodies, handler };
}

const HEAD = ':status=200 content-type=application/grpc';
const failure = (id: number, code: number, text: string): string =>
  `HEADERS ${id} ${HEAD} grpc-status=${code} grpc-message=${text} grpc-accept-encoding=identity end`;
const success = (id: number, text: string): string[] => [
  `HEADERS ${id} ${HEAD}`,
  `DATA ${id} ${message(text).toString()}`,
  `HEADERS ${id} grpc-status=0 end`,
];

describe('GrpcHandler', () => {
  test('a message in one DATA frame is handed over where it lies', () => {
    const { peer, calls } = start();
    const bytes = Buffer.concat([call(1), data(1, message('hello'))]);
    peer.connection.receive(bytes);
    expect(peer.heard()).toEqual(success(1, 'hello'));
    expect(calls[0]?.message.buffer).toBe(bytes.buffer);
  });

  test.each([
    ['cut anywhere', [...message('hello world')].map((byte) => Buffer.of(byte))],
    ['with an empty frame at the end', [message('hello world'), Buffer.alloc(0)]],
    ['with its prefix apart', [message('hello world').subarray(0, 5), Buffer.from('hello world')]],
  ])('a message over several DATA frames, %s, is one message, and copied', (_name, parts) => {
    const { peer, calls, bodies } = start();
    peer.send(call(1));
    parts.forEach((part, at) => {
      const chunk = data(1, part, at === parts.length - 1);
      peer.connection.receive(chunk);
      // What was kept of the chunk must not be a view into it.
      chunk.fill(0x3f, 9);
    });
    expect(peer.heard()).toEqual(success(1, 'hello world'));
    expect(calls[0]?.message.toString()).toBe('hello world');
    expect(bodies.used).toBe(0);
  });

  test.each<[name: string, sent: Buffer[], heard: string]>([
    ['no unknown method', [call(1, { path: '/s/Nope' })], failure(1, 12, 'unknown method')],
    [
      'no compression',
      [call(1, { more: [['grpc-encoding', 'gzip']] })],
      failure(1, 12, 'compression is not supported'),
    ],
    [
      'no grpc-timeout that is none',
      [call(1, { more: [['grpc-timeout', '5']] })],
      failure(1, 13, 'grpc-timeout is not a time'),
    ],
  ])('%s: answered at HEADERS, and the body is not wanted', (_name, sent, heard) => {
    const { peer, calls } = start();
    peer.send(...sent);
    expect(peer.heard()).toEqual([heard, 'RST_STREAM 1 0']);
    expect(calls).toEqual([]);
  });

  test.each([
    ['other content', { type: 'application/json' }, ':status=415 content-type=text/plain'],
    [
      'content that only begins alike',
      { type: 'application/grpc-web' },
      ':status=415 content-type=text/plain',
    ],
    ['another method of HTTP', { method: 'GET' }, ':status=405 content-type=text/plain allow=POST'],
  ])('%s is refused as HTTP does it, when the request is complete', (_name, over, head) => {
    const { peer, calls } = start();
    peer.send(call(1, over));
    expect(peer.heard()).toEqual([]);
    peer.send(data(1, 'x'));
    expect(peer.heard()[0]).toBe(`HEADERS 1 ${head}`);
    expect(calls).toEqual([]);
  });

  test.each([
    ['no message', [], 12, 'one message is expected'],
    ['half a prefix', [Buffer.alloc(3)], 13, 'the message is truncated'],
    ['half a message', [message('abc', { length: 4 })], 13, 'the message is truncated'],
    ['two messages', [message('abc'), message('d')], 12, 'one message is expected'],
    [
      'two messages in one frame',
      [Buffer.concat([message('abc'), message('d')])],
      12,
      'one message is expected',
    ],
    ['a compressed message', [message('abc', { flag: 1 })], 13, 'a compressed message without grpc-encoding'],
  ])('%s is no call', (_name, parts, code, text) => {
    const whole = start();
    whole.peer.send(call(1), data(1, Buffer.concat(parts)));
    const cut = start();
    cut.peer.send(call(1), ...parts.map((part) => data(1, part, false)), data(1, ''));
    for (const { peer, calls, bodies } of [whole, cut]) {
      expect(peer.heard()[0]).toBe(failure(1, code, text));
      expect([calls, bodies.used]).toEqual([[], 0]);
    }
  });

  test('what a call says: authority, deadline, metadata, binary metadata', () => {
    const { peer, calls } = start();
    const more: Fields = [
      ['grpc-timeout', '200m'],
      ['policy', 'a'],
      ['mark-bin', Buffer.from('\0\xff', 'latin1').toString('base64')],
      ['policy', 'b'],
      ['mark-bin', 'AQ,Ag'],
    ];
    peer.send(call(1, { more }), data(1, message('')), call(3), data(3, message('')));
    const [first, second] = calls.map((each) => each.call);
    expect([first?.authority, first?.deadlineMs, second?.deadlineMs]).toEqual(['gate', NOW + 200, Infinity]);
    expect(first?.metadata('policy')).toEqual(['a', 'b']);
    expect(first?.metadata('mark-bin')).toEqual([Buffer.of(0, 255), Buffer.of(1), Buffer.of(2)]);
    expect(first?.metadata('other')).toEqual([]);
  });

  test('failures of methods become statuses, and what is not meant for the peer is not in them', async () => {
    const { peer } = start();
    peer.send(
      call(1, { path: '/s/Fail' }),
      data(1, message('')),
      call(3, { path: '/s/Fail' }),
      data(3, message('x')),
    );
    peer.send(call(5, { path: '/s/Reject' }), data(5, message('')));
    await peer.pass(0);
    expect(peer.heard()).toEqual([
      failure(1, 5, 'n%C3%B6%25'),
      failure(3, 13, 'internal error'),
      failure(5, 13, 'internal error'),
    ]);
  });

  test('a message that is too long is refused by its method as soon as its length is known', () => {
    const { peer, bodies } = start();
    peer.send(call(1), data(1, message('abc', { length: 5001 }), false));
    peer.send(call(3), data(3, message('x'.repeat(5001))));
    expect(peer.heard()).toEqual([
      ...success(1, 'message_too_large'),
      'RST_STREAM 1 0',
      ...success(3, 'message_too_large'),
    ]);
    expect(bodies.used).toBe(0);
  });

  test('bodies that are not complete have a bound; memory grows with what came, not with what was announced', () => {
    const { peer, bodies } = start();
    for (const id of [1, 3, 5, 7]) peer.send(call(id), data(id, message('x', { length: 4000 }), false));
    expect([peer.heard(), bodies.used]).toEqual([[], 4 * 2048]);
    peer.send(call(9), data(9, message('x', { length: 4000 }), false));
    expect(peer.heard()).toEqual([...success(9, 'overloaded'), 'RST_STREAM 9 0']);
    peer.send(reset(1), reset(3));
    expect(bodies.used).toBe(2 * 2048);
    peer.connection.closed();
    expect(bodies.used).toBe(0);
  });

  test('handlers under way are counted apart from streams, which the peer can end', async () => {
    const { peer, waiting, handler } = start();
    for (const id of [1, 3])
      peer.send(call(id, { path: '/s/Wait' }), data(id, message(String(id))), reset(id));
    expect([peer.connection.streams.size, handler.underWay]).toEqual([0, 2]);
    peer.send(call(5), data(5, message('hello')), call(7, { path: '/s/Wait' }), data(7, message('x')));
    expect(peer.heard()).toEqual([...success(5, 'overloaded'), failure(7, 8, 'overloaded')]);
    for (const each of waiting) each.resolve(Buffer.from('late'));
    await peer.pass(0);
    expect([peer.heard(), handler.underWay]).toEqual([[], 0]);
  });

  test('answers that come in another order go to their calls', async () => {
    const { peer, waiting } = start({ maxHandlers: 10 });
    for (const id of [1, 3, 5]) peer.send(call(id, { path: '/s/Wait' }), data(id, message(`m${id}`)));
    for (const each of waiting.reverse()) each.resolve(Buffer.from(each.text));
    await peer.pass(0);
    expect(peer.heard()).toEqual([5, 3, 1].flatMap((id) => success(id, `m${id}`)));
  });

  test('a body behind a call that has failed is ignored', () => {
    const { peer } = start();
    peer.send(
      call(1),
      data(1, Buffer.concat([message('a'), message('b')]), false),
      data(1, message('c')),
      frame(FrameType.PING, 0, 0, Buffer.alloc(8)),
    );
    expect(peer.heard().slice(0, 2)).toEqual([failure(1, 12, 'one message is expected'), 'RST_STREAM 1 0']);
    expect(peer.cuts).toEqual([]);
  });
});
