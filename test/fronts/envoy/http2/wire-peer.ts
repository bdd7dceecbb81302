/** A peer of one connection, without sockets and without time: frames in, frames out. */
import { Connection } from '../../../../src/fronts/envoy/http2/connection.js';
import { FrameReader } from '../../../../src/fronts/envoy/http2/frame-reader.js';
import { Flag, FrameType, writeFrameHead } from '../../../../src/fronts/envoy/http2/frames.js';
import { createHpackDecoder } from '../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { encodeFields } from '../../../../src/fronts/envoy/http2/hpack/encoder.js';
import { DEFAULT_LIMITS, type Http2Limits } from '../../../../src/fronts/envoy/http2/limits.js';
import { QueuedBytes } from '../../../../src/fronts/envoy/http2/queued-bytes.js';
import type { RequestHandler, Stream } from '../../../../src/fronts/envoy/http2/stream.js';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const NOTHING: Buffer = Buffer.alloc(0);

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** Bytes of one frame. */
export function frame(type: number, flags = 0, streamId = 0, payload: Buffer = NOTHING): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHead(bytes, 0, { length: payload.length, type, flags, streamId });
  payload.copy(bytes, 9);
  return bytes;
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export const settings = (...entries: [number: number, value: number][]): Buffer =>
  frame(
    FrameType.SETTINGS,
    0,
    0,
    Buffer.concat(entries.map(([number, value]) => Buffer.concat([Buffer.of(0, number), uint32(value)]))),
  );

/** A field list, as blocks carry it. */
export type Fields = readonly (readonly [name: string, value: string])[];

export const REQUEST: Fields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'gate'],
];

/** What HEADERS carry. */
export interface HeadersOptions {
  readonly fields?: Fields;
  readonly end?: boolean;
  readonly flags?: number;
}

export const headers = (
  id: number,
  { fields = REQUEST, end = true, flags = Flag.END_HEADERS }: HeadersOptions = {},
): Buffer => frame(FrameType.HEADERS, flags | (end ? Flag.END_STREAM : 0), id, encodeFields(fields));
export const data = (id: number, payload: Buffer | string, end = true): Buffer =>
  frame(FrameType.DATA, end ? Flag.END_STREAM : 0, id, Buffer.from(payload));
export const reset = (id: number): Buffer => frame(FrameType.RST_STREAM, 0, id, uint32(8));
export const windowUpdate = (id: number, increment: number): Buffer =>
  frame(FrameType.WINDOW_UPDATE, 0, id, uint32(increment));
export const ping = (payload = 'abcdefgh', flags = 0): Buffer =>
  frame(FrameType.PING, flags, 0, Buffer.from(payload));

const ANSWER_HEAD = encodeFields([[':status', '200']]);
const ANSWER_TRAILERS = encodeFields([['mark', 'end']]);

/** Answers with the body that came. */
export const echo: RequestHandler = {
  begin: (stream) => {
    const parts: Buffer[] = [];
    return {
      data: (bytes, start, end, isLast) => {
        parts.push(Buffer.from(bytes.subarray(start, end)));
        if (isLast) answer(stream, Buffer.concat(parts));
      },
      aborted: () => undefined,
    };
  },
};

export function answer(stream: Stream, body: Buffer): void {
  stream.answer({ head: ANSWER_HEAD, lead: NOTHING, body, trailers: ANSWER_TRAILERS });
}

class FakeSocket {
  readonly writes: Buffer[] = [];
  writableLength = 0;
  destroyed = false;
  isEnded = false;
  isPaused = false;
  /** Does the peer read? */
  isTaking = true;

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes as Buffer);
    if (!this.isTaking) this.writableLength += bytes.length;
    return this.isTaking;
  }
  cork(): void {
    // All writes are collected anyway.
  }
  uncork(): void {
    // See cork().
  }
  end(): this {
    this.isEnded = true;
    return this;
  }
  destroy(): this {
    this.destroyed = true;
    return this;
  }
  pause(): this {
    this.isPaused = true;
    return this;
  }
  resume(): this {
    this.isPaused = false;
    return this;
  }
}

/** One connection, begun with its preface and SETTINGS unless it is said otherwise. */
export class WirePeer {
  nowMs = 0;
  readonly cuts: string[] = [];
  readonly errors: unknown[] = [];
  readonly socket = new FakeSocket();
  readonly connection: Connection;
  readonly queued: QueuedBytes;
  private readonly decoder = createHpackDecoder({ maxTableBytes: 4096, maxListBytes: 100_000 });

  constructor({
    limits = {},
    handler = echo,
    begun = true,
  }: { limits?: Partial<Http2Limits>; handler?: RequestHandler; begun?: boolean } = {}) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.queued = new QueuedBytes(all.processQueuedBytes);
    this.connection = new Connection(this.socket, {
      limits: all,
      handler,
      queued: this.queued,
      nowMs: () => this.nowMs,
      cut: (reason, error) => {
        this.cuts.push(reason);
        if (error !== undefined) this.errors.push(error);
      },
    });
    if (!begun) return;
    this.send(PREFACE, settings());
    this.received();
  }

  /** Sends in one chunk. */
  send(...frames: readonly Buffer[]): this {
    this.connection.receive(Buffer.concat(frames));
    return this;
  }

  /** What came since the last call. */
  received(): Frame[] {
    const frames: Frame[] = [];
    const reader = new FrameReader(({ length, type, flags, streamId }, bytes, start) =>
      frames.push({ type, flags, id: streamId, payload: bytes.subarray(start, start + length) }),
    );
    reader.read(Buffer.concat(this.socket.writes.splice(0)), 0);
    return frames;
  }

  /** The same, in short. */
  heard(): string[] {
    return this.received().map((each) => this.describe(each));
  }

  /** Lets time pass, and the server look at it. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    this.connection.sweep();
    // One turn for promises, and one for what they write.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  private describe({ type, flags, id, payload }: Frame): string {
    const end = (flags & Flag.END_STREAM) === 0 ? '' : ' end';
    switch (type) {
      case FrameType.HEADERS: {
        const { fields } = this.decoder.decode(payload, 0, payload.length);
        return `HEADERS ${id} ${fields.map((field) => field.join('=')).join(' ')}${end}`;
      }
      case FrameType.DATA:
        return `DATA ${id} ${payload.toString()}${end}`;
      case FrameType.RST_STREAM:
        return `RST_STREAM ${id} ${payload.readUInt32BE(0)}`;
      case FrameType.GOAWAY:
        return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`;
      case FrameType.WINDOW_UPDATE:
        return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
      case FrameType.SETTINGS:
        return flags === Flag.ACK ? 'SETTINGS ack' : `SETTINGS ${payload.toString('hex')}`;
      case FrameType.PING:
        return `PING ${payload.toString()}${flags === Flag.ACK ? ' ack' : ''}`;
      default:
        return `${type} ${id}`;
    }
  }
}
