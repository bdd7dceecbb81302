import { takeGoAway, takePing, takePriority, takeSettings } from './control-frames.js';
import { ConnectionError, ErrorCode } from './errors.js';
import { Flag, FrameType, type FrameHead } from './frames.js';
import type { Session } from './session.js';
import type { StreamFrames } from './stream-frames.js';

/** A frame, and who takes it. */
interface Taking {
  readonly session: Session;
  readonly streams: StreamFrames;
  readonly head: FrameHead;
  readonly bytes: Buffer;
  /** Where the payload begins. */
  readonly start: number;
}

const TAKE: Readonly<Record<number, (taking: Taking) => void>> = {
  [FrameType.DATA]: ({ streams, head, bytes, start }) => streams.data(head, bytes, start),
  [FrameType.HEADERS]: ({ streams, head, bytes, start }) => streams.headers(head, bytes, start),
  [FrameType.PRIORITY]: ({ session, head, bytes, start }) => takePriority(session, head, bytes, start),
  [FrameType.RST_STREAM]: ({ streams, head }) => streams.resetStream(head),
  [FrameType.SETTINGS]: ({ session, head, bytes, start }) => takeSettings(session, head, bytes, start),
  [FrameType.PUSH_PROMISE]: () => {
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a client that pushes');
  },
  [FrameType.PING]: ({ session, head, bytes, start }) => takePing(session, head, bytes, start),
  [FrameType.GOAWAY]: ({ head }) => takeGoAway(head),
  [FrameType.WINDOW_UPDATE]: ({ streams, head, bytes, start }) => streams.windowUpdate(head, bytes, start),
  [FrameType.CONTINUATION]: ({ streams, head, bytes, start }) => streams.continuation(head, bytes, start),
};

/** Acts on one frame. @throws ConnectionError where the connection has to end */
export function dispatch(taking: Taking): void {
  const { session, head } = taking;
  if (session.block.isOpen && head.type !== FrameType.CONTINUATION)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a frame within a field block');
  const take = TAKE[head.type];
  // Section 5.5: frames of unknown types are ignored.
  if (take === undefined) session.budget.spend('unknown_frame', session.nowMs);
  else take(taking);
}

/** The first frame of a peer. @see https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
export function assertFirst({ type, flags }: FrameHead): void {
  if (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'a connection that does not begin with SETTINGS');
}
