import { ConnectionError, ErrorCode } from './errors.js';
import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEADER_BYTES, readUint31, type FrameHead } from './frames.js';

/** Takes frames in their order. The bytes of a payload are never overwritten, and may be kept. */
export type TakeFrame = (head: FrameHead, bytes: Buffer, start: number) => void;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Cuts what a socket delivers into frames. A frame that lies in one chunk is read there; one that is split over chunks
 * is collected in a buffer of its own, of exactly its size, which nothing else is ever written to.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-4
 */
export class FrameReader {
  /** The frame that is not complete, from its first byte on; its length is that of the frame once that is known. */
  private partial: Buffer = NOTHING;
  private filled = 0;

  constructor(private readonly take: TakeFrame) {}

  /**
   * @param at where to begin in the chunk
   * @throws ConnectionError FRAME_SIZE_ERROR for a frame larger than SETTINGS_MAX_FRAME_SIZE, before it is collected
   */
  read(chunk: Buffer, at: number): void {
    let from = at;
    if (this.filled > 0) from = this.complete(chunk, from);
    while (chunk.length - from >= FRAME_HEADER_BYTES) {
      const head = headAt(chunk, from);
      const end = from + FRAME_HEADER_BYTES + head.length;
      if (end > chunk.length) break;
      this.take(head, chunk, from + FRAME_HEADER_BYTES);
      from = end;
    }
    if (from < chunk.length) this.begin(chunk, from);
  }

  private begin(chunk: Buffer, from: number): void {
    this.partial = Buffer.allocUnsafeSlow(this.sizeOf(chunk, from));
    this.filled = chunk.copy(this.partial, 0, from);
  }

  /** @returns the place in the chunk where the next frame begins */
  private complete(chunk: Buffer, from: number): number {
    let next = this.fill(chunk, from);
    if (this.filled < this.partial.length) return next;
    const head = headAt(this.partial, 0);
    if (this.filled < FRAME_HEADER_BYTES + head.length) {
      // Only the header was there: from here on its payload is collected behind it.
      const whole = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + head.length);
      this.partial.copy(whole);
      this.partial = whole;
      next = this.fill(chunk, next);
      if (this.filled < whole.length) return next;
    }
    const bytes = this.partial;
    this.partial = NOTHING;
    this.filled = 0;
    this.take(head, bytes, FRAME_HEADER_BYTES);
    return next;
  }

  private fill(chunk: Buffer, from: number): number {
    const copied = chunk.copy(this.partial, this.filled, from);
    this.filled += copied;
    return from + copied;
  }

  private sizeOf(chunk: Buffer, from: number): number {
    if (chunk.length - from < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    return FRAME_HEADER_BYTES + headAt(chunk, from).length;
  }
}

function headAt(bytes: Buffer, at: number): FrameHead {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  if (length > DEFAULT_MAX_FRAME_BYTES)
    throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a frame larger than SETTINGS_MAX_FRAME_SIZE');
  return {
    length,
    type: bytes[at + 3] as number,
    flags: bytes[at + 4] as number,
    streamId: readUint31(bytes, at + 5),
  };
}
