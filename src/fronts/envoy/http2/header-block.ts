import { calm, ConnectionError, ErrorCode } from './errors.js';
import { Flag, type FrameHead } from './frames.js';
import type { Http2Limits } from './limits.js';
import type { Span } from './payload.js';

/** A whole field block. */
export interface FieldBlockBytes extends Span {
  readonly streamId: number;
  /** Was END_STREAM on its HEADERS? */
  readonly endStream: boolean;
  readonly bytes: Buffer;
}

/**
 * A field block on its way: HEADERS, and CONTINUATION frames until END_HEADERS, with no other frame between them. A
 * block in one frame, which is the rule, is not copied.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-4.3
 */
export class HeaderBlock {
  private streamId = 0;
  private endStream = false;
  private parts: Buffer[] = [];
  private size = 0;
  private openSinceMs = 0;

  constructor(private readonly limits: Pick<Http2Limits, 'headerListBytes' | 'continuations'>) {}

  /** Is a block begun and not complete? Then nothing but its CONTINUATION may come. */
  get isOpen(): boolean {
    return this.streamId !== 0;
  }

  /** @returns since when it is open; undefined: no block is */
  get sinceMs(): number | undefined {
    return this.isOpen ? this.openSinceMs : undefined;
  }

  /** Takes HEADERS. @returns the block, if that was all of it */
  begin(
    head: FrameHead,
    bytes: Buffer,
    span: Span & { readonly nowMs: number },
  ): FieldBlockBytes | undefined {
    const { streamId, flags } = head;
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0)
      return { streamId, endStream, bytes, start: span.start, end: span.end };
    this.streamId = streamId;
    this.endStream = endStream;
    this.openSinceMs = span.nowMs;
    this.add(bytes, span);
    return undefined;
  }

  /**
   * Takes CONTINUATION.
   *
   * @returns the block, if that was the last of it
   * @throws ConnectionError where it continues nothing, or without end (CVE-2024-27316)
   */
  continue(head: FrameHead, bytes: Buffer, start: number): FieldBlockBytes | undefined {
    if (!this.isOpen || head.streamId !== this.streamId)
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'CONTINUATION of no block');
    this.add(bytes, { start, end: start + head.length });
    if ((head.flags & Flag.END_HEADERS) === 0) return undefined;
    const whole = Buffer.concat(this.parts, this.size);
    const { streamId, endStream } = this;
    this.streamId = 0;
    this.parts = [];
    this.size = 0;
    return { streamId, endStream, bytes: whole, start: 0, end: whole.length };
  }

  /** Copied: what waits for more must not hold the chunk that it came in. */
  private add(bytes: Buffer, { start, end }: Span): void {
    this.parts.push(Buffer.from(bytes.subarray(start, end)));
    this.size += end - start;
    // Field blocks are hardly ever longer than the list that they carry.
    if (this.parts.length > this.limits.continuations + 1 || this.size > 2 * this.limits.headerListBytes)
      throw calm('header_block');
  }
}
