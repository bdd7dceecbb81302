import { readUint32 } from '../frames.js';
import type { ByteBudget } from '../byte-budget.js';
import { GrpcFailure, GrpcStatus } from './status.js';

/** Compressed-Flag and Message-Length. */
export const PREFIX_BYTES = 5;
const FIRST_BYTES = 2048;

/** Why a message is not held. */
export type Unread = 'message_too_large' | 'overloaded';

/**
 * The length that a prefix announces.
 *
 * @throws GrpcFailure INTERNAL for a message that says to be compressed, although no encoding was named
 */
export function messageLength(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0)
    throw new GrpcFailure(GrpcStatus.INTERNAL, 'a compressed message without grpc-encoding');
  return readUint32(bytes, at + 1);
}

/** The failure of a body that holds another number of messages than one, or not all of one. */
export function notOneMessage(isTruncated: boolean): GrpcFailure {
  return isTruncated
    ? new GrpcFailure(GrpcStatus.INTERNAL, 'the message is truncated')
    : new GrpcFailure(GrpcStatus.UNIMPLEMENTED, 'one message is expected');
}

/**
 * One message that comes in several pieces. They are copied: what waits for more must not hold the chunks that it came in.
 * Memory grows with what has come, not with what was announced, and counts on a budget until it is released.
 */
export class MessageAssembler {
  private held: Buffer = Buffer.alloc(0);
  private size = 0;

  constructor(
    private readonly budget: ByteBudget,
    private readonly maxMessageBytes: number,
  ) {}

  /**
   * @returns why the message is not going to be held; undefined: go on
   * @throws GrpcFailure for more than one message, or a compressed one
   */
  add(bytes: Buffer, start: number, end: number): Unread | undefined {
    const needed = this.size + end - start;
    if (needed > this.held.length && !this.grow(needed)) return 'overloaded';
    bytes.copy(this.held, this.size, start, end);
    this.size = needed;
    if (needed < PREFIX_BYTES) return undefined;
    const length = messageLength(this.held, 0);
    if (length > this.maxMessageBytes) return 'message_too_large';
    if (needed > PREFIX_BYTES + length) throw notOneMessage(false);
    return undefined;
  }

  /** @throws GrpcFailure where the message is not complete */
  finish(): Buffer {
    if (this.size === 0) throw notOneMessage(false);
    if (this.size < PREFIX_BYTES || this.size < PREFIX_BYTES + messageLength(this.held, 0))
      throw notOneMessage(true);
    return this.held.subarray(PREFIX_BYTES, this.size);
  }

  /** The message is used, or given up. */
  release(): void {
    this.budget.give(this.held.length);
    this.held = Buffer.alloc(0);
    this.size = 0;
  }

  private grow(needed: number): boolean {
    const capacity = Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(needed)));
    if (!this.budget.take(capacity - this.held.length)) return false;
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.held.copy(larger, 0, 0, this.size);
    this.held = larger;
    return true;
  }
}
