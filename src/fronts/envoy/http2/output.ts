import { type ErrorCode } from './errors.js';
import { FRAME_HEADER_BYTES, FrameType, writeFrameHead, writeUint32, type FrameHead } from './frames.js';

/** What is written to: a socket. */
export interface Wire {
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
}

const BLOCK_BYTES = 16 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Collects the frames of a turn, and hands them to the socket in one write. Frames are written whole, one after the
 * other, so no two can mix. Bytes that the socket was given are never written to again: the place only moves on, to the
 * end of a block, and then to a new block.
 */
export class Output {
  private block: Buffer = NOTHING;
  private from = 0;
  private at = 0;
  /** Blocks of this turn that are full. */
  private full: Buffer[] = [];

  /** Is there anything to write? */
  get isEmpty(): boolean {
    return this.from === this.at && this.full.length === 0;
  }

  /** A frame whose payload is one piece, or two. */
  frame(type: number, flags: number, streamId: number, first: Buffer, second = NOTHING): void {
    const length = first.length + second.length;
    this.reserve(FRAME_HEADER_BYTES + length);
    const { block } = this;
    let at = writeFrameHead(block, this.at, { length, type, flags, streamId });
    if (first.length > 0) block.set(first, at);
    at += first.length;
    if (second.length > 0) block.set(second, at);
    this.at = at + second.length;
  }

  /** A frame of type WINDOW_UPDATE or RST_STREAM, whose payload is one number. */
  number(type: number, streamId: number, value: number): void {
    this.reserve(FRAME_HEADER_BYTES + 4);
    const head: FrameHead = { length: 4, type, flags: 0, streamId };
    this.at = writeUint32(this.block, writeFrameHead(this.block, this.at, head), value);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.8 */
  goAway(lastStreamId: number, code: ErrorCode): void {
    const payload = Buffer.alloc(8);
    writeUint32(payload, writeUint32(payload, 0, lastStreamId), code);
    this.frame(FrameType.GOAWAY, 0, 0, payload);
  }

  /** Everything so far, in one write. */
  flush(wire: Wire): void {
    if (this.isEmpty) return;
    const last = this.block.subarray(this.from, this.at);
    this.from = this.at;
    if (this.full.length === 0) {
      wire.write(last);
      return;
    }
    const blocks = this.full;
    this.full = [];
    wire.cork();
    for (const block of blocks) wire.write(block);
    if (last.length > 0) wire.write(last);
    wire.uncork();
  }

  private reserve(bytes: number): void {
    if (this.block.length - this.at >= bytes) return;
    if (this.at > this.from) this.full.push(this.block.subarray(this.from, this.at));
    this.block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    this.from = 0;
    this.at = 0;
  }
}
