/** Frames of HTTP/2 as a test writes and reads them, well-formed or not. */
import { encodeFields } from '../../../../src/fronts/envoy/http2/hpack/encoder.js';
import type { HeaderField } from '../../../../src/fronts/envoy/http2/hpack/header-field.js';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** A frame as it was received. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** @returns one frame */
export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** @returns a frame whose payload is one number: WINDOW_UPDATE, RST_STREAM */
export function numberFrame(type: number, id: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value >>> 0);
  return frame(type, 0, id, payload);
}

/** @returns SETTINGS with these entries */
export function settings(...entries: readonly (readonly [number: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([number, value], index) => {
    payload.writeUInt16BE(number, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(TYPE.SETTINGS, 0, 0, payload);
}

/** What every connection of a client begins with. */
export const HELLO = Buffer.concat([PREFACE, settings()]);

export const requestFields = (path: string, more: readonly HeaderField[] = []): HeaderField[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'gate.example'],
  ['te', 'trailers'],
  ['content-type', 'application/grpc'],
  ...more,
];

/** @returns HEADERS with a whole field block */
export function headers(id: number, fields: readonly HeaderField[], { end = false } = {}): Buffer {
  return frame(TYPE.HEADERS, FLAG.END_HEADERS | (end ? FLAG.END_STREAM : 0), id, encodeFields(fields));
}

/** @returns DATA */
export const data = (id: number, payload: Uint8Array, { end = false } = {}): Buffer =>
  frame(TYPE.DATA, end ? FLAG.END_STREAM : 0, id, payload);

/** @returns a message of gRPC with its prefix */
export function grpcMessage(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** @returns a whole call */
export const call = (id: number, path: string, message: Uint8Array): Buffer =>
  Buffer.concat([headers(id, requestFields(path)), data(id, grpcMessage(message), { end: true })]);

/** Cuts bytes into frames; what is not complete waits for more. */
export class FrameParser {
  private rest = Buffer.alloc(0);

  /** @returns the frames that are complete now */
  add(bytes: Uint8Array): Frame[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const frames: Frame[] = [];
    while (this.rest.length >= 9) {
      const end = 9 + this.rest.readUIntBE(0, 3);
      if (this.rest.length < end) break;
      const { rest } = this;
      frames.push({
        type: rest[3]!,
        flags: rest[4]!,
        id: rest.readUInt32BE(5),
        payload: rest.subarray(9, end),
      });
      this.rest = rest.subarray(end);
    }
    return frames;
  }

  /** Whether nothing waits: what came ended with a whole frame. */
  get isEmpty(): boolean {
    return this.rest.length === 0;
  }
}
