import { ConnectionError, ErrorCode } from './errors.js';
import type { Stream } from './stream.js';

/** Frames may still come for a stream that this side has reset; for so many of them that is remembered. */
const REMEMBERED_RESETS = 1000;

/** The streams of a connection by number. @see https://www.rfc-editor.org/rfc/rfc9113#section-5.1 */
export class StreamTable {
  private readonly open = new Map<number, Stream>();
  private readonly resets = new Set<number>();
  /** The highest number that the peer has used. */
  lastId = 0;
  /** Streams above it are not served any more: they came after the last GOAWAY. */
  lastServed = Infinity;

  get size(): number {
    return this.open.size;
  }

  /** Of the streams that are open. */
  values(): Iterable<Stream> {
    return this.open.values();
  }

  get(id: number): Stream | undefined {
    return this.open.get(id);
  }

  add(stream: Stream): void {
    this.open.set(stream.id, stream);
  }

  /** @returns false: it was not there any more */
  remove(stream: Stream): boolean {
    return this.open.delete(stream.id);
  }

  /** This side has reset it, or refused it at once. */
  rememberReset(id: number): void {
    this.resets.add(id);
    if (this.resets.size <= REMEMBERED_RESETS) return;
    for (const oldest of this.resets) {
      this.resets.delete(oldest);
      return;
    }
  }

  /**
   * HEADERS of no open stream: a new one, or one that is over.
   *
   * @returns true: the block has to be decoded, and nothing else
   * @throws ConnectionError PROTOCOL_ERROR for a number that no client may use; STREAM_CLOSED for one that has ended
   */
  isNewToBeIgnored(id: number): boolean {
    if (id % 2 === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a stream of an even number');
    if (id <= this.lastId) {
      this.assertIgnorable(id);
      return true;
    }
    this.lastId = id;
    return id > this.lastServed;
  }

  /** DATA or HEADERS of a stream that is not open. @throws ConnectionError unless they may still be on their way */
  assertIgnorable(id: number): void {
    this.assertNotIdle(id);
    if (this.resets.has(id) || id > this.lastServed) return;
    throw new ConnectionError(ErrorCode.STREAM_CLOSED, 'a frame for a stream that has ended');
  }

  /** @throws ConnectionError PROTOCOL_ERROR for a stream that was never opened */
  assertNotIdle(id: number): void {
    if (id > this.lastId || id % 2 === 0)
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a frame for an idle stream');
  }
}
