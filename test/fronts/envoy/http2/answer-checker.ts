/** Holds what a server sends to the rules of HTTP/2, and each answer to the request of its own stream. */
import { createHpackDecoder } from '../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { FLAG, TYPE, type Frame } from './wire-frames.js';

/** What a stream was answered. */
export interface StreamOutcome {
  readonly fields: (readonly [string, string])[];
  readonly body: Buffer[];
  isEnded: boolean;
  resetWith: number | undefined;
}

/** Reads the frames of one connection in their order. */
export class AnswerChecker {
  readonly streams = new Map<number, StreamOutcome>();
  readonly goAways: number[] = [];
  private readonly decoder = createHpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 20 });

  /** @throws Error where a frame is one that no server may send here */
  take({ type, flags, id, payload }: Frame): void {
    if (payload.length > 16_384) throw new Error('a frame larger than what was allowed');
    if (type === TYPE.HEADERS || type === TYPE.DATA || type === TYPE.RST_STREAM) {
      this.onStream(type, flags, id, payload);
    } else if (type === TYPE.GOAWAY) {
      this.goAways.push(payload.readUInt32BE(4));
    } else if (type === TYPE.WINDOW_UPDATE) {
      if (payload.length !== 4 || payload.readUInt32BE(0) === 0) throw new Error('a window of nothing');
    } else if (type !== TYPE.SETTINGS && type !== TYPE.PING) {
      throw new Error(`a frame of type ${String(type)}`);
    }
  }

  private onStream(type: number, flags: number, id: number, payload: Buffer): void {
    if (id % 2 === 0) throw new Error('a stream that no client opens');
    const stream = this.streams.get(id) ?? { fields: [], body: [], isEnded: false, resetWith: undefined };
    this.streams.set(id, stream);
    if (type === TYPE.RST_STREAM) {
      stream.resetWith = payload.readUInt32BE(0);
      return;
    }
    if (stream.isEnded || stream.resetWith !== undefined)
      throw new Error('a frame after the end of its stream');
    if (type === TYPE.HEADERS) {
      if ((flags & FLAG.END_HEADERS) === 0) throw new Error('a field block in parts');
      stream.fields.push(...this.decoder.decode(payload, 0, payload.length).fields);
    } else {
      if (stream.fields.length === 0) throw new Error('DATA before HEADERS');
      stream.body.push(payload);
    }
    stream.isEnded = (flags & FLAG.END_STREAM) !== 0;
  }
}
