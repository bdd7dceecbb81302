/** Frames that are about a stream. */
import { ConnectionError, ErrorCode } from './errors.js';
import { Flag, FrameType, readUint31, type FrameHead } from './frames.js';
import type { FieldBlockBytes } from './header-block.js';
import { contentOf } from './payload.js';
import { areTrailers, parseRequestHead } from './request-head.js';
import { encodeFields } from './hpack/encoder.js';
import type { ReceiveWindow } from './receive-window.js';
import type { Session } from './session.js';
import { Stream } from './stream.js';

const NOTHING: Buffer = Buffer.alloc(0);
const WINDOW_UPDATE_BYTES = 4;
const RST_STREAM_BYTES = 4;
const HEADERS_TOO_LARGE = encodeFields([[':status', '431']]);

/** Takes them for one connection. */
export class StreamFrames {
  constructor(
    private readonly session: Session,
    private readonly window: ReceiveWindow,
  ) {}

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.1 */
  data(head: FrameHead, bytes: Buffer, payload: number): void {
    const { session } = this;
    const stream = this.streamOf(head);
    // Padding counts, and so does what is discarded.
    const granted = this.window.take(head.length);
    if (granted > 0) session.output.number(FrameType.WINDOW_UPDATE, 0, granted);
    const { start, end } = contentOf(head, bytes, payload);
    if (stream === undefined) {
      session.streams.assertIgnorable(head.streamId);
      return;
    }
    if (stream.remoteEnded)
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, 'DATA behind the end of its stream');
    const isLast = (head.flags & Flag.END_STREAM) !== 0;
    if (start === end && !isLast) session.budget.spend('empty_data', session.nowMs);
    this.receive(stream, head.length, isLast);
    stream.receivedBytes += end - start;
    if (!this.isLengthKept(stream, isLast)) {
      session.reset(stream, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    stream.remoteEnded = isLast;
    stream.reader?.data(bytes, start, end, isLast);
    if (isLast) session.closeIfDone(stream);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.2 */
  headers(head: FrameHead, bytes: Buffer, payload: number): void {
    const { session } = this;
    const open = this.streamOf(head);
    if (open?.remoteEnded === true)
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, 'HEADERS behind the end of their stream');
    const span = contentOf(head, bytes, payload);
    const block = session.block.begin(head, bytes, { ...span, nowMs: session.nowMs });
    if (block !== undefined) this.fields(block);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.10 */
  continuation(head: FrameHead, bytes: Buffer, start: number): void {
    const block = this.session.block.continue(head, bytes, start);
    if (block !== undefined) this.fields(block);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.4 */
  resetStream(head: FrameHead): void {
    const { session } = this;
    if (head.length !== RST_STREAM_BYTES)
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'RST_STREAM of a wrong length');
    const stream = this.streamOf(head);
    if (stream === undefined) session.streams.assertNotIdle(head.streamId);
    // A deadline that has passed is no attack, and comes in masses when this process was slow.
    const isHonest = stream !== undefined && session.nowMs - stream.openedMs >= session.limits.honestStreamMs;
    if (!isHonest) session.budget.spend('early_reset', session.nowMs);
    if (stream !== undefined) session.abandon(stream);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.9 */
  windowUpdate(head: FrameHead, bytes: Buffer, start: number): void {
    const { session } = this;
    if (head.length !== WINDOW_UPDATE_BYTES)
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'WINDOW_UPDATE of a wrong length');
    const increment = readUint31(bytes, start);
    if (increment === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
    session.budget.spend('window_update', session.nowMs);
    if (head.streamId === 0) {
      session.outbound.growConnection(increment);
      return;
    }
    const stream = session.streams.get(head.streamId);
    if (stream === undefined) session.streams.assertNotIdle(head.streamId);
    else if (!session.outbound.growStream(stream, increment))
      session.reset(stream, ErrorCode.FLOW_CONTROL_ERROR);
  }

  /** @throws ConnectionError PROTOCOL_ERROR where there must be a stream */
  private streamOf({ streamId }: FrameHead): Stream | undefined {
    if (streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a frame of no stream');
    return this.session.streams.get(streamId);
  }

  /** The stream's window, of which the peer hears again while it still sends. */
  private receive(stream: Stream, length: number, isLast: boolean): void {
    const { session } = this;
    const { streamWindow } = session.limits;
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0)
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the stream may send');
    if (isLast || stream.receiveWindow * 2 > streamWindow) return;
    session.output.number(FrameType.WINDOW_UPDATE, stream.id, streamWindow - stream.receiveWindow);
    stream.receiveWindow = streamWindow;
  }

  /** A body of another length than announced is malformed (section 8.1.1). */
  private isLengthKept({ contentLength, receivedBytes }: Stream, isLast: boolean): boolean {
    if (contentLength === undefined) return true;
    return isLast ? receivedBytes === contentLength : receivedBytes <= contentLength;
  }

  /** Every block is decoded, whatever becomes of its stream: else the peer's table and ours would differ (section 4.3). */
  private fields({ streamId, endStream, bytes, start, end }: FieldBlockBytes): void {
    const { session } = this;
    const { fields, tooLarge } = session.decoder.decode(bytes, start, end);
    const open = session.streams.get(streamId);
    if (open !== undefined) {
      this.trailers(open, endStream && !tooLarge && areTrailers(fields));
      return;
    }
    if (session.streams.isNewToBeIgnored(streamId)) return;
    if (session.streams.size >= session.limits.streams) {
      session.refuse(streamId, ErrorCode.REFUSED_STREAM);
      return;
    }
    const head = tooLarge ? undefined : parseRequestHead(fields);
    if (head === undefined && !tooLarge) {
      session.refuse(streamId, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const isWrong = endStream && (head?.contentLength ?? 0) !== 0;
    if (isWrong) {
      session.refuse(streamId, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { streamWindow } = session.limits;
    const { initialWindow } = session.settings;
    const stream = new Stream(
      streamId,
      session,
      session.nowMs,
      streamWindow,
      initialWindow,
      head?.contentLength,
    );
    stream.remoteEnded = endStream;
    session.streams.add(stream);
    if (head === undefined) {
      stream.head(HEADERS_TOO_LARGE, { end: true });
      return;
    }
    stream.reader = session.handler.begin(stream, head);
    if (!endStream) return;
    stream.reader?.data(NOTHING, 0, 0, true);
    session.closeIfDone(stream);
  }

  /** They have no meaning here, but end the body. */
  private trailers(stream: Stream, areGood: boolean): void {
    const { session } = this;
    if (!areGood || !this.isLengthKept(stream, true)) {
      session.reset(stream, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    stream.remoteEnded = true;
    stream.reader?.data(NOTHING, 0, 0, true);
    session.closeIfDone(stream);
  }
}
