import type { HpackDecoder } from './hpack/decoder.js';
import type { Budget } from './budget.js';
import type { ErrorCode } from './errors.js';
import type { HeaderBlock } from './header-block.js';
import type { Http2Limits } from './limits.js';
import type { Outbound } from './outbound.js';
import type { Output } from './output.js';
import type { PeerSettings } from './peer-settings.js';
import type { RequestHandler, Stream, StreamOwner } from './stream.js';
import type { StreamTable } from './stream-table.js';

/** What the parts of one connection share. */
export interface Session extends StreamOwner {
  readonly limits: Http2Limits;
  readonly budget: Budget;
  readonly decoder: HpackDecoder;
  readonly block: HeaderBlock;
  readonly settings: PeerSettings;
  readonly streams: StreamTable;
  readonly output: Output;
  readonly outbound: Outbound;
  readonly handler: RequestHandler;
  /** A monotonic time in milliseconds, read once per chunk. */
  nowMs: number;
  /** The peer has answered a PING of this side. */
  pingAnswered(payload: Buffer): void;
  /** Takes the stream out when both sides have ended it. */
  closeIfDone(stream: Stream): void;
  /** The peer has given the stream up, or this side has: nothing is sent on it any more. */
  abandon(stream: Stream): void;
  /** A stream that was never served. */
  refuse(streamId: number, code: ErrorCode): void;
}
