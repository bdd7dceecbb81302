/** The protocol as RFC 9113 has it, and that no answer can reach another stream. */
import { describe, expect, test } from '@jest/globals';
import { Flag, FrameType } from '../../../../src/fronts/envoy/http2/frames.js';
import type { RequestHead } from '../../../../src/fronts/envoy/http2/request-head.js';
import type { RequestHandler, Stream } from '../../../../src/fronts/envoy/http2/stream.js';
import {
  answer,
  data,
  frame,
  headers,
  NOTHING,
  ping,
  PREFACE,
  REQUEST,
  reset,
  settings,
  uint32,
  WirePeer,
  windowUpdate,
} from './wire-peer.js';

const Code = { NO: 0, PROTOCOL: 1, STREAM_CLOSED: 5, FRAME_SIZE: 6, REFUSED: 7, COMPRESSION: 9 };
const HEADERS_OPEN = headers(1, { end: false, flags: 0 });

describe('the beginning of a connection', () => {
  test('SETTINGS and the window of the connection are sent at once', () => {
    const peer = new WirePeer({ begun: false });
    expect(peer.heard()).toEqual([
      'SETTINGS 0003000003e8' + '000400040000' + '000600008000',
      `WINDOW_UPDATE 0 ${1024 * 1024 - 65_535}`,
    ]);
  });

  test('the preface may come in pieces, with the first frames behind it', () => {
    const peer = new WirePeer({ begun: false });
    const bytes = Buffer.concat([PREFACE, settings(), ping()]);
    for (const byte of bytes) peer.send(Buffer.of(byte));
    expect(peer.heard().slice(2)).toEqual(['SETTINGS ack', 'PING abcdefgh ack']);
  });

  test.each([
    ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another frame than SETTINGS', Buffer.concat([PREFACE, ping()])],
    ['the ACK of SETTINGS', Buffer.concat([PREFACE, frame(FrameType.SETTINGS, Flag.ACK)])],
  ])('%s ends it', (_name, bytes) => {
    const peer = new WirePeer({ begun: false }).send(bytes);
    expect(peer.heard().at(-1)).toBe(`GOAWAY 0 ${Code.PROTOCOL}`);
    expect(peer.socket.isEnded).toBe(true);
    expect(peer.cuts).toEqual(['protocol_error']);
  });
});

describe('what a peer must not send', () => {
  const rows: [name: string, frames: Buffer[], code: number][] = [
    ['a stream of an even number', [headers(2)], Code.PROTOCOL],
    ['a number lower than the last', [headers(5), headers(3)], Code.STREAM_CLOSED],
    ['HEADERS of stream 0', [headers(0)], Code.PROTOCOL],
    ['DATA of stream 0', [data(0, 'x')], Code.PROTOCOL],
    ['DATA of an idle stream', [data(1, 'x')], Code.PROTOCOL],
    ['RST_STREAM of an idle stream', [reset(1)], Code.PROTOCOL],
    ['WINDOW_UPDATE of an idle stream', [windowUpdate(1, 1)], Code.PROTOCOL],
    ['DATA behind END_STREAM', [headers(1), data(1, 'x')], Code.STREAM_CLOSED],
    ['HEADERS behind END_STREAM', [headers(1), headers(1)], Code.STREAM_CLOSED],
    [
      'DATA behind its own RST_STREAM',
      [headers(1, { end: false }), reset(1), data(1, 'x')],
      Code.STREAM_CLOSED,
    ],
    ['CONTINUATION of nothing', [frame(FrameType.CONTINUATION, 4, 1)], Code.PROTOCOL],
    ['another frame within a field block', [HEADERS_OPEN, ping()], Code.PROTOCOL],
    ['an unknown frame within a field block', [HEADERS_OPEN, frame(0x33)], Code.PROTOCOL],
    ['CONTINUATION of another stream', [HEADERS_OPEN, frame(FrameType.CONTINUATION, 4, 3)], Code.PROTOCOL],
    ['PUSH_PROMISE', [frame(FrameType.PUSH_PROMISE, 4, 1, uint32(2))], Code.PROTOCOL],
    ['SETTINGS on a stream', [frame(FrameType.SETTINGS, 0, 1)], Code.PROTOCOL],
    ['SETTINGS with ACK and a payload', [frame(FrameType.SETTINGS, 1, 0, Buffer.alloc(6))], Code.FRAME_SIZE],
    ['SETTINGS with a broken entry', [frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(5))], Code.FRAME_SIZE],
    ['SETTINGS_ENABLE_PUSH 2', [settings([2, 2])], Code.PROTOCOL],
    ['SETTINGS_INITIAL_WINDOW_SIZE 2^31', [settings([4, 0x8000_0000])], 3],
    ['SETTINGS_MAX_FRAME_SIZE 16383', [settings([5, 16_383])], Code.PROTOCOL],
    ['SETTINGS_MAX_FRAME_SIZE 2^24', [settings([5, 0x100_0000])], Code.PROTOCOL],
    ['PING of 7 bytes', [ping('abcdefg')], Code.FRAME_SIZE],
    ['PING on a stream', [frame(FrameType.PING, 0, 1, Buffer.alloc(8))], Code.PROTOCOL],
    ['GOAWAY on a stream', [frame(FrameType.GOAWAY, 0, 1, Buffer.alloc(8))], Code.PROTOCOL],
    ['a short GOAWAY', [frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(7))], Code.FRAME_SIZE],
    [
      'RST_STREAM of 3 bytes',
      [headers(1, { end: false }), frame(FrameType.RST_STREAM, 0, 1, Buffer.alloc(3))],
      Code.FRAME_SIZE,
    ],
    ['WINDOW_UPDATE of 5 bytes', [frame(FrameType.WINDOW_UPDATE, 0, 0, Buffer.alloc(5))], Code.FRAME_SIZE],
    ['PRIORITY of 4 bytes', [frame(FrameType.PRIORITY, 0, 1, Buffer.alloc(4))], Code.FRAME_SIZE],
    ['PRIORITY of stream 0', [frame(FrameType.PRIORITY, 0, 0, Buffer.alloc(5))], Code.PROTOCOL],
    [
      'PRIORITY on itself',
      [frame(FrameType.PRIORITY, 0, 3, Buffer.concat([uint32(3), NOTHING, Buffer.of(1)]))],
      Code.PROTOCOL,
    ],
    [
      'padding longer than its frame',
      [headers(1, { end: false }), frame(FrameType.DATA, Flag.PADDED, 1, Buffer.of(2, 0))],
      Code.PROTOCOL,
    ],
    [
      'padding without its length',
      [headers(1, { end: false }), frame(FrameType.DATA, Flag.PADDED, 1)],
      Code.FRAME_SIZE,
    ],
    [
      'HEADERS too short for their priority',
      [frame(FrameType.HEADERS, 0x25, 1, Buffer.alloc(4))],
      Code.FRAME_SIZE,
    ],
    ['a field block that is none', [frame(FrameType.HEADERS, 5, 1, Buffer.of(0x80))], Code.COMPRESSION],
  ];

  test.each(rows)('%s: GOAWAY, and nothing that follows is looked at', (_name, frames, code) => {
    const peer = new WirePeer().send(...frames, headers(99));
    const heard = peer.heard();
    expect(heard.at(-1)).toMatch(new RegExp(`^GOAWAY \\d+ ${code}$`));
    expect(heard.join()).not.toContain(' 99 ');
    peer.send(headers(101));
    expect(peer.heard()).toEqual([]);
    expect(peer.cuts).toEqual(['protocol_error']);
  });
});

describe('what has no effect', () => {
  test.each([
    ['unknown frames, flags and settings', [frame(0x77, 255, 5), settings([0x99, 1])], ['SETTINGS ack']],
    ['PRIORITY, of idle streams too', [frame(FrameType.PRIORITY, 0, 7, Buffer.alloc(5))], []],
    ['GOAWAY of the peer', [frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(12))], []],
    [
      'RST_STREAM and WINDOW_UPDATE of a stream that is over',
      [headers(1), reset(1), windowUpdate(1, 5)],
      ANSWERED(1),
    ],
    [
      'padding',
      [headers(1, { end: false }), frame(FrameType.DATA, Flag.PADDED | 1, 1, Buffer.from('\x02ab\0\0'))],
      ANSWERED(1, 'ab'),
    ],
  ])('%s', (_name, frames, expected) => {
    const peer = new WirePeer().send(...frames);
    expect(peer.heard()).toEqual(expected);
    peer.send(ping());
    expect(peer.heard()).toEqual(['PING abcdefgh ack']);
  });
});

function ANSWERED(id: number, body = ''): string[] {
  return [`HEADERS ${id} :status=200`, `DATA ${id} ${body}`, `HEADERS ${id} mark=end end`];
}

type Field = readonly [name: string, value: string];

describe('requests', () => {
  const [method, scheme, path, authority] = REQUEST as [Field, Field, Field, Field];
  const malformed: [name: string, fields: (readonly [string, string])[]][] = [
    ['no :method', [scheme, path]],
    ['no :scheme', [method, path]],
    ['no :path', [method, scheme]],
    ['an empty :path', [method, scheme, [':path', '']]],
    ['a pseudo-header field twice', [method, method, scheme, path]],
    ['an unknown pseudo-header field', [method, scheme, path, [':x', '']]],
    ['one of an answer', [method, scheme, path, [':status', '200']]],
    ['a pseudo-header field behind others', [method, scheme, ['a', 'b'], path]],
    ['upper case', [method, scheme, path, ['Te', 'trailers']]],
    ['an empty name', [method, scheme, path, ['', 'x']]],
    ['a blank in a name', [method, scheme, path, ['a b', 'x']]],
    ['connection', [method, scheme, path, ['connection', 'close']]],
    ['transfer-encoding', [method, scheme, path, ['transfer-encoding', 'chunked']]],
    ['te: gzip', [method, scheme, path, ['te', 'gzip']]],
    ['a line break in a value', [method, scheme, path, ['a', 'b\r\nc: d']]],
    ['NUL in a value', [method, scheme, path, ['a', 'b\0']]],
    ['a blank around a value', [method, scheme, path, ['a', ' b']]],
    ['content-length twice', [method, scheme, path, ['content-length', '0'], ['content-length', '0']]],
    ['content-length that is no number', [method, scheme, path, ['content-length', '0x1']]],
    ['another content-length than none', [method, scheme, path, ['content-length', '1']]],
    ['host twice', [method, scheme, path, ['host', 'a'], ['host', 'b']]],
    ['CONNECT with a path', [[':method', 'CONNECT'], scheme, path, authority]],
  ];

  test.each(malformed)('%s is malformed, and costs its stream only', (_name, fields) => {
    const peer = new WirePeer().send(headers(1, { fields }), headers(3));
    expect(peer.heard()).toEqual([`RST_STREAM 1 ${Code.PROTOCOL}`, ...ANSWERED(3)]);
  });

  test.each([
    ['shorter', 'ab', true],
    ['longer', 'abcd', false],
  ])('a body %s than content-length is malformed', (_name, body, end) => {
    const fields = [...REQUEST, ['content-length', '3']] as const;
    const peer = new WirePeer().send(headers(1, { fields, end: false }), data(1, body, end));
    expect(peer.heard()).toEqual([`RST_STREAM 1 ${Code.PROTOCOL}`]);
  });

  test('trailers end a body; with pseudo-header fields or without END_STREAM they are malformed', () => {
    const good = [['mark', 'x']] as const;
    const peer = new WirePeer();
    for (const id of [1, 3, 5]) peer.send(headers(id, { end: false }), data(id, 'b', false));
    peer.send(
      headers(1, { fields: good }),
      headers(3, { fields: good, end: false }),
      headers(5, { fields: [[':path', '/']] }),
    );
    expect(peer.heard()).toEqual([...ANSWERED(1, 'b'), 'RST_STREAM 3 1', 'RST_STREAM 5 1']);
  });

  test('a field block in many frames is one block', () => {
    const whole = headers(1).subarray(9);
    const peer = new WirePeer();
    peer.send(
      frame(FrameType.HEADERS, Flag.END_STREAM, 1, whole.subarray(0, 3)),
      frame(FrameType.CONTINUATION, 0, 1, whole.subarray(3, 5)),
      frame(FrameType.CONTINUATION, Flag.END_HEADERS, 1, whole.subarray(5)),
    );
    expect(peer.heard()).toEqual(ANSWERED(1));
  });

  test('a head says what came, with host in the place of :authority', () => {
    const heads: RequestHead[] = [];
    const handler: RequestHandler = { begin: (_stream, head) => void heads.push(head) };
    const peer = new WirePeer({ handler });
    peer.send(
      headers(1, { fields: [method, scheme, path, ['host', 'h'], ['a', 'b'], ['a', 'c']] }),
      headers(3),
    );
    expect(heads.map((head) => [head.method, head.path, head.authority])).toEqual([
      ['POST', '/', 'h'],
      ['POST', '/', 'gate'],
    ]);
    expect(heads[0]?.fields.slice(-2)).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]);
  });
});

describe('the field blocks of both sides stay in step', () => {
  /** A literal with incremental indexing: later blocks name it by its place in the table. */
  const indexed = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.of(0x40, name.length),
      Buffer.from(name),
      Buffer.of(value.length),
      Buffer.from(value),
    ]);
  const request = headers(1).subarray(9);
  const block = (id: number, ...parts: Buffer[]): Buffer =>
    frame(FrameType.HEADERS, 5, id, Buffer.concat([request, ...parts]));
  const NEWEST = Buffer.of(0x80 | 62);

  test.each([
    ['refused', { streams: 1 }, block(3, indexed('mark', 'one'))],
    ['malformed', {}, block(3, indexed('Mark', 'one'), indexed('mark', 'one'))],
    ['too large', { headerListBytes: 400 }, block(3, indexed('mark', 'one'), Buffer.alloc(20, 0x82))],
  ])('the block of a stream that is %s is decoded all the same', (_name, limits, bytes) => {
    const heads: RequestHead[] = [];
    const handler: RequestHandler = { begin: (_stream, head) => void heads.push(head) };
    const peer = new WirePeer({ handler, limits }).send(headers(1), bytes, reset(1), block(5, NEWEST));
    expect(heads).toHaveLength(2);
    expect(heads.at(-1)?.fields.at(-1)).toEqual(['mark', 'one']);
    expect(peer.cuts).toEqual([]);
  });

  test('the first block of answers says that there is no dynamic table, and no later one does', () => {
    const peer = new WirePeer().send(headers(1), headers(3));
    const blocks = peer.received().filter(({ type }) => type === FrameType.HEADERS);
    expect(blocks.map(({ payload }) => payload[0] === 0x20)).toEqual([true, false, false, false]);
  });
});

describe('an answer reaches its own stream, or none', () => {
  test('thousands of streams in any order of answers: each gets the mark of its request', async () => {
    const waiting: { stream: Stream; mark: string }[] = [];
    const handler: RequestHandler = {
      begin: (stream, { fields }) => {
        waiting.push({ stream, mark: fields.at(-1)?.[1] ?? '' });
        return undefined;
      },
    };
    const peer = new WirePeer({ handler });
    const answers = new Map<number, string>();
    let id = -1;
    for (let round = 0; round < 40; round++) {
      const sent = Array.from({ length: 100 }, () =>
        headers((id += 2), { fields: [...REQUEST, ['mark', `m${id}`]] }),
      );
      peer.send(...sent);
      // Some of this round, some of rounds before, latest first.
      for (const { stream, mark } of waiting
        .splice(0)
        .reverse()
        .filter((each, at) => at % 3 !== 0 || waiting.push(each) === 0))
        answer(stream, Buffer.from(mark));
      await peer.pass(0);
      peer.send(windowUpdate(0, 10_000));
      for (const { type, id: to, payload } of peer.received())
        if (type === FrameType.DATA) answers.set(to, payload.toString());
    }
    expect(answers.size).toBeGreaterThan(3000);
    for (const [to, mark] of answers) expect(mark).toBe(`m${to}`);
  });

  test.each([
    ['reset by the peer', reset(1)],
    ['ended with its connection', ping('short')],
  ])('a late answer to a stream that was %s is dropped', async (_name, bytes) => {
    const streams: Stream[] = [];
    const peer = new WirePeer({ handler: { begin: (stream) => void streams.push(stream) } });
    peer.send(headers(1), bytes);
    peer.received();
    answer(streams[0] as Stream, Buffer.from('late'));
    await peer.pass(0);
    expect(peer.heard()).toEqual([]);
  });

  test('a second answer to one stream is dropped', async () => {
    const streams: Stream[] = [];
    const peer = new WirePeer({ handler: { begin: (stream) => void streams.push(stream) } });
    peer.send(headers(1));
    for (const body of ['first', 'second']) answer(streams[0] as Stream, Buffer.from(body));
    await peer.pass(0);
    expect(peer.heard()).toEqual(ANSWERED(1, 'first'));
  });

  test('a handler that throws ends the connection, since nothing is known of its answer', () => {
    const fault = new TypeError('x');
    const peer = new WirePeer({
      handler: {
        begin: () => {
          throw fault;
        },
      },
    });
    peer.send(headers(1));
    expect(peer.heard()).toEqual(['GOAWAY 1 2']);
    expect([peer.cuts, peer.errors]).toEqual([['internal_error'], [fault]]);
  });

  test('an answer before the end of its request: the rest is not wanted, and is ignored', () => {
    const handler: RequestHandler = {
      begin: (stream) => {
        answer(stream, Buffer.from('early'));
        return undefined;
      },
    };
    const peer = new WirePeer({ handler }).send(
      headers(1, { end: false }),
      data(1, 'x', false),
      data(1, 'y'),
      ping(),
    );
    expect(peer.heard()).toEqual([...ANSWERED(1, 'early'), `RST_STREAM 1 ${Code.NO}`, 'PING abcdefgh ack']);
  });

  test('streams past the limit are refused, and their frames ignored', () => {
    const peer = new WirePeer({ limits: { streams: 1 }, handler: { begin: () => undefined } });
    peer.send(headers(1), headers(3, { end: false }), data(3, 'x'), ping());
    expect(peer.heard()).toEqual([`RST_STREAM 3 ${Code.REFUSED}`, 'PING abcdefgh ack']);
  });
});
