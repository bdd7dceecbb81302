/** RFC 9113 sections 5.2 and 6.9, both ways. */
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../../../../src/fronts/envoy/http2/limits.js';
import { data, headers, settings, windowUpdate, WirePeer } from './wire-peer.js';

const INITIAL_WINDOW = 4;
const ENDED = ' mark=end end';

describe('answers under the windows of the peer', () => {
  test('what fits is sent, the rest with WINDOW_UPDATE, and the trailers behind it', () => {
    const peer = new WirePeer().send(settings([INITIAL_WINDOW, 4]));
    peer.received();
    peer.send(headers(1, { end: false }), data(1, 'abcdefghij'));
    expect(peer.heard()).toEqual(['HEADERS 1 :status=200', 'DATA 1 abcd']);
    peer.send(windowUpdate(1, 3));
    expect(peer.heard()).toEqual(['DATA 1 efg']);
    peer.send(windowUpdate(1, 100));
    expect(peer.heard()).toEqual(['DATA 1 hij', `HEADERS 1${ENDED}`]);
  });

  test('a stream that waits holds up no other', () => {
    const peer = new WirePeer().send(
      settings([INITIAL_WINDOW, 0]),
      headers(1, { end: false }),
      data(1, 'first'),
    );
    peer.received();
    peer.send(headers(3, { end: false }), windowUpdate(3, 10), data(3, 'second'));
    expect(peer.heard()).toEqual(['HEADERS 3 :status=200', 'DATA 3 second', `HEADERS 3${ENDED}`]);
    peer.send(settings([INITIAL_WINDOW, 10]));
    expect(peer.heard()).toEqual(['SETTINGS ack', 'DATA 1 first', `HEADERS 1${ENDED}`]);
  });

  test('the window of the connection bounds all streams together', () => {
    const peer = new WirePeer();
    const body = 'x'.repeat(16_000);
    for (const id of [1, 3, 5, 7, 9]) peer.send(headers(id, { end: false }), data(id, body));
    const sent = peer.received().filter(({ type }) => type === 0);
    expect(sent.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(65_535);
    peer.send(windowUpdate(0, 100_000));
    const rest = peer.received().filter(({ type }) => type === 0);
    expect(rest.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(5 * 16_000 - 65_535);
  });

  test('a smaller SETTINGS_INITIAL_WINDOW_SIZE makes windows of open streams negative (6.9.2)', () => {
    const peer = new WirePeer().send(
      settings([INITIAL_WINDOW, 4]),
      headers(1, { end: false }),
      data(1, 'abcdefgh'),
    );
    peer.received();
    peer.send(settings([INITIAL_WINDOW, 1]));
    peer.send(windowUpdate(1, 3));
    expect(peer.heard()).toEqual(['SETTINGS ack']);
    peer.send(windowUpdate(1, 1));
    expect(peer.heard()).toEqual(['DATA 1 e']);
  });

  test('DATA is cut to SETTINGS_MAX_FRAME_SIZE', () => {
    const peer = new WirePeer();
    peer.send(headers(1, { end: false }));
    peer.send(data(1, 'x'.repeat(16_384), false), data(1, 'y'));
    const sizes = peer.received().flatMap(({ type, payload }) => (type === 0 ? [payload.length] : []));
    expect(sizes).toEqual([16_384, 1]);
  });

  test('a stream that is reset while it waits sends nothing any more, and counts nothing', () => {
    const peer = new WirePeer().send(
      settings([INITIAL_WINDOW, 0]),
      headers(1, { end: false }),
      data(1, 'abc'),
    );
    peer.received();
    expect(peer.connection.outbound.waitingBytes).toBe(3);
    peer.send(
      Buffer.from('000004030000000001' + '00000008', 'hex'),
      settings([INITIAL_WINDOW, 100]),
      windowUpdate(0, 5),
    );
    expect(peer.heard()).toEqual(['SETTINGS ack']);
    expect(peer.connection.outbound.waitingBytes).toBe(0);
  });

  test.each([
    ['of the connection', windowUpdate(0, 0x7fff_ffff), 'GOAWAY 1 3'],
    ['of a stream', windowUpdate(1, 0x7fff_ffff), 'RST_STREAM 1 3'],
    ['by SETTINGS', settings([INITIAL_WINDOW, 0x7fff_ffff]), undefined],
    ['of nothing', windowUpdate(1, 0), 'GOAWAY 1 1'],
  ])(
    'a window past 2^31-1, or an increment of 0, %s is an error of the connection',
    (_name, bytes, expected) => {
      const peer = new WirePeer().send(headers(1, { end: false }));
      peer.received();
      peer.send(bytes);
      if (expected !== undefined) expect(peer.heard()).toEqual([expected]);
      else {
        peer.send(windowUpdate(1, 1));
        expect(peer.heard()).toEqual(['SETTINGS ack', 'RST_STREAM 1 3']);
      }
    },
  );
});

describe('bodies under our windows', () => {
  const limits = { streamWindow: 65_535, connectionWindow: 100_000 };
  const chunk = 'x'.repeat(16_000);

  test('the peer hears of more when half is used up, for the stream and the connection', () => {
    const peer = new WirePeer({ limits }).send(headers(1, { end: false }));
    peer.send(data(1, chunk, false), data(1, chunk, false));
    expect(peer.heard()).toEqual([]);
    peer.send(data(1, chunk, false));
    expect(peer.heard()).toEqual(['WINDOW_UPDATE 1 48000']);
    peer.send(data(1, chunk, false));
    expect(peer.heard()).toEqual(['WINDOW_UPDATE 0 64000']);
  });

  test.each([
    ['a stream', { ...limits, streamWindow: 10_000 }],
    ['the connection', { ...DEFAULT_LIMITS, connectionWindow: 15_999 }],
  ])('more than %s may send is an error of the connection', (_name, over) => {
    const peer = new WirePeer({ limits: over }).send(headers(1, { end: false }));
    peer.received();
    peer.send(data(1, chunk, false));
    expect(peer.heard()).toEqual(['GOAWAY 1 3']);
  });

  test('what is discarded counts, and is granted again', () => {
    const peer = new WirePeer({ limits: { ...limits, streams: 0 } });
    peer.send(headers(1, { end: false }), ...Array.from({ length: 4 }, () => data(1, chunk, false)));
    expect(peer.heard()).toEqual(['RST_STREAM 1 7', 'WINDOW_UPDATE 0 64000']);
  });
});
