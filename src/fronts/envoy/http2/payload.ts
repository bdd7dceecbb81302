import { ConnectionError, ErrorCode } from './errors.js';
import { Flag, FrameType, readUint31, type FrameHead } from './frames.js';

/** Where the content of a frame lies, without padding and priority. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The content of DATA or HEADERS.
 *
 * @throws ConnectionError PROTOCOL_ERROR where the padding does not fit, or the stream depends on itself
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-6.1 and section 6.2
 */
export function contentOf(head: FrameHead, bytes: Buffer, payload: number): Span {
  let start = payload;
  let end = payload + head.length;
  if ((head.flags & Flag.PADDED) !== 0) {
    if (start === end) throw tooShort();
    end -= bytes[start++] as number;
  }
  if (head.type === FrameType.HEADERS && (head.flags & Flag.PRIORITY) !== 0) {
    if (end - start < 5) throw tooShort();
    assertNoSelfDependency(head.streamId, bytes, start);
    start += 5;
  }
  if (end < start) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'padding longer than its frame');
  return { start, end };
}

/** Priority has no effect here (section 5.3.2), but a stream that depends on itself is still refused. */
export function assertNoSelfDependency(streamId: number, bytes: Buffer, at: number): void {
  if (readUint31(bytes, at) === streamId)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a stream that depends on itself');
}

function tooShort(): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a frame too short for its flags');
}
