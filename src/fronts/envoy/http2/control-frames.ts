/** Frames that are about the connection, and those without an effect here. */
import { ConnectionError, ErrorCode } from './errors.js';
import { Flag, FrameType, type FrameHead } from './frames.js';
import { assertNoSelfDependency } from './payload.js';
import type { Session } from './session.js';

const PING_BYTES = 8;
const PRIORITY_BYTES = 5;
const LEAST_GOAWAY_BYTES = 8;
const NOTHING: Buffer = Buffer.alloc(0);

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.5 */
export function takeSettings(session: Session, head: FrameHead, bytes: Buffer, start: number): void {
  assertOnConnection(head);
  session.budget.spend('settings', session.nowMs);
  if ((head.flags & Flag.ACK) !== 0) {
    if (head.length !== 0) throw wrongSize('SETTINGS with ACK and a payload');
    return;
  }
  const { settings, outbound, streams, output } = session;
  const before = settings.initialWindow;
  settings.apply(bytes, start, head.length);
  // Before the DATA that it allows: who waits for it has then heard it first.
  output.frame(FrameType.SETTINGS, Flag.ACK, 0, NOTHING);
  outbound.resize(streams.values(), settings.initialWindow - before);
}

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.7 */
export function takePing(session: Session, head: FrameHead, bytes: Buffer, start: number): void {
  assertOnConnection(head);
  if (head.length !== PING_BYTES) throw wrongSize('PING');
  session.budget.spend('ping', session.nowMs);
  const payload = bytes.subarray(start, start + PING_BYTES);
  if ((head.flags & Flag.ACK) !== 0) session.pingAnswered(payload);
  else session.output.frame(FrameType.PING, Flag.ACK, 0, payload);
}

/** The peer opens no more streams. Those that are open are served; there is nothing to do. */
export function takeGoAway(head: FrameHead): void {
  assertOnConnection(head);
  if (head.length < LEAST_GOAWAY_BYTES) throw wrongSize('GOAWAY');
}

/** Has no effect, and is allowed for any stream, idle ones too. @see https://www.rfc-editor.org/rfc/rfc9113#section-6.3 */
export function takePriority(session: Session, head: FrameHead, bytes: Buffer, start: number): void {
  if (head.streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'PRIORITY of no stream');
  if (head.length !== PRIORITY_BYTES) throw wrongSize('PRIORITY');
  assertNoSelfDependency(head.streamId, bytes, start);
  session.budget.spend('priority', session.nowMs);
}

function assertOnConnection({ streamId }: FrameHead): void {
  if (streamId !== 0)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a frame of the connection on a stream');
}

function wrongSize(what: string): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${what} of a wrong length`);
}
