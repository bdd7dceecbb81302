/** What time does to a connection, and its graceful end. */
import { describe, expect, test } from '@jest/globals';
import { Flag } from '../../../../src/fronts/envoy/http2/frames.js';
import type { RequestHandler, Stream } from '../../../../src/fronts/envoy/http2/stream.js';
import { answer, data, headers, ping, PREFACE, settings, WirePeer } from './wire-peer.js';

const LAST = 0x7fff_ffff;

function holding(): { handler: RequestHandler; streams: Stream[] } {
  const streams: Stream[] = [];
  return { streams, handler: { begin: (stream) => void streams.push(stream) } };
}

describe('time-outs', () => {
  test.each([
    ['nothing', []],
    ['half a preface', [PREFACE.subarray(0, 12)]],
    ['a preface without SETTINGS', [PREFACE]],
  ])('%s is cut', async (_name, bytes) => {
    const peer = new WirePeer({ begun: false }).send(...bytes);
    await peer.pass(9_000);
    expect(peer.cuts).toEqual([]);
    await peer.pass(2_000);
    expect(peer.cuts).toEqual(['no_preface']);
  });

  test('a field block that is never complete is cut', async () => {
    const peer = new WirePeer().send(headers(1, { flags: 0 }));
    await peer.pass(9_000);
    expect(peer.cuts).toEqual([]);
    await peer.pass(2_000);
    expect(peer.cuts).toEqual(['slow_header_block']);
  });

  test('a body that drips costs its stream, and no other', async () => {
    const peer = new WirePeer().send(headers(1, { end: false }));
    await peer.pass(6_000);
    peer.send(data(1, 'x', false), headers(3, { end: false }));
    await peer.pass(5_000);
    expect(peer.heard()).toEqual(['RST_STREAM 1 8']);
    peer.send(data(1, 'y'), data(3, 'z'));
    expect(peer.heard().at(1)).toBe('DATA 3 z');
  });

  test('a call that waits for its answer has no time-out here', async () => {
    const { handler } = holding();
    const peer = new WirePeer({ handler }).send(headers(1));
    await peer.pass(30_000);
    expect(peer.heard()).toEqual([]);
  });

  test('a silent peer gets PING, and is cut without an answer', async () => {
    const peer = new WirePeer();
    await peer.pass(61_000);
    expect(peer.heard()).toEqual(['PING portcull']);
    peer.send(ping('portcull', Flag.ACK));
    await peer.pass(61_000);
    await peer.pass(21_000);
    expect(peer.heard()).toEqual(['PING portcull', 'GOAWAY 0 0']);
    expect(peer.cuts).toEqual(['keepalive']);
  });

  test('an idle connection ends gracefully; one that is used does not', async () => {
    const peer = new WirePeer({ limits: { keepaliveMs: Infinity } });
    for (let id = 1; id < 9; id += 2) {
      await peer.pass(9 * 60_000);
      peer.send(headers(id));
    }
    peer.received();
    await peer.pass(1);
    await peer.pass(11 * 60_000);
    expect(peer.heard()).toEqual([`GOAWAY ${LAST} 0`, 'PING draining']);
    expect(peer.cuts).toEqual([]);
  });

  test('after its end a connection is destroyed unless the peer closes it', async () => {
    const peer = new WirePeer().send(ping('short'));
    expect([peer.socket.isEnded, peer.socket.destroyed]).toEqual([true, false]);
    await peer.pass(1_500);
    expect(peer.socket.destroyed).toBe(true);
  });
});

describe('drain()', () => {
  test('refuses nothing at first, then what comes after the second GOAWAY, and ends with the last stream', async () => {
    const { handler, streams } = holding();
    const peer = new WirePeer({ handler }).send(headers(1));
    peer.connection.drain();
    expect(peer.heard()).toEqual([`GOAWAY ${LAST} 0`, 'PING draining']);
    // On its way when the peer read the first GOAWAY: it is served.
    peer.send(headers(3), ping('draining', Flag.ACK));
    expect(peer.heard()).toEqual(['GOAWAY 3 0']);
    peer.send(headers(5, { end: false }), data(5, 'ignored'), ping());
    expect(peer.heard()).toEqual(['PING abcdefgh ack']);
    expect(streams.map(({ id }) => id)).toEqual([1, 3]);
    for (const stream of streams) answer(stream, Buffer.from('done'));
    expect(peer.socket.isEnded).toBe(false);
    await peer.pass(0);
    expect(peer.heard().filter((each) => each.startsWith('DATA'))).toEqual(['DATA 1 done', 'DATA 3 done']);
    expect([peer.socket.isEnded, peer.cuts]).toEqual([true, []]);
  });

  test('a peer that does not answer the PING gets the second GOAWAY all the same', async () => {
    const peer = new WirePeer();
    peer.connection.drain();
    peer.received();
    await peer.pass(1_500);
    expect(peer.heard()).toEqual(['GOAWAY 0 0']);
    expect(peer.socket.isEnded).toBe(true);
  });

  test('answers that wait for a window are not lost', () => {
    const peer = new WirePeer().send(settings([4, 2]), headers(1, { end: false }), data(1, 'abcd'));
    peer.connection.drain();
    peer.send(ping('draining', Flag.ACK));
    expect(peer.socket.isEnded).toBe(false);
    peer.received();
    peer.send(settings([4, 100]));
    expect(peer.heard().slice(0, 3)).toEqual(['SETTINGS ack', 'DATA 1 cd', 'HEADERS 1 mark=end end']);
    expect(peer.socket.isEnded).toBe(true);
  });

  test('a connection that has not begun is told, too', async () => {
    const peer = new WirePeer({ begun: false });
    peer.connection.drain();
    peer.send(PREFACE, settings());
    await peer.pass(1_500);
    expect(peer.socket.isEnded).toBe(true);
  });
});
