import { ConnectionError, ErrorCode } from './errors.js';
import { DEFAULT_WINDOW, Flag, FrameType, MAX_31_BITS } from './frames.js';
import type { Output } from './output.js';
import type { PeerSettings } from './peer-settings.js';
import type { Answer, Stream } from './stream.js';

/** What is called about streams. */
export interface OutboundOptions {
  readonly output: Output;
  readonly settings: PeerSettings;
  /** The last frame of an answer was written. */
  ended(stream: Stream): void;
  nowMs(): number;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * "The dynamic table has no bytes": begins the first field block of a connection. Blocks here never use the table, and a
 * peer that has lowered SETTINGS_HEADER_TABLE_SIZE waits for being told (RFC 7541, section 4.2); once is enough.
 */
const NO_DYNAMIC_TABLE = Buffer.of(0x20);

/**
 * Answers on their way out, under the peer's flow control: what fits into the windows is written at once, the rest waits
 * for WINDOW_UPDATE or SETTINGS. Only DATA counts; HEADERS never wait.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-5.2
 */
export class Outbound {
  /** Bytes that wait for a window. */
  waitingBytes = 0;
  private window = DEFAULT_WINDOW;
  private readonly waiting = new Set<Stream>();
  private sizeUpdate: Buffer = NO_DYNAMIC_TABLE;

  constructor(private readonly options: OutboundOptions) {}

  /** The whole answer; in the usual case three frames in a row, and nothing is kept. */
  answer(stream: Stream, { head, lead, body, trailers }: Answer): void {
    const { output, settings } = this.options;
    this.headers(stream, head, Flag.END_HEADERS);
    const length = lead.length + body.length;
    if (length <= stream.sendWindow && length <= this.window && length <= settings.maxFrameBytes) {
      output.frame(FrameType.DATA, 0, stream.id, lead, body);
      stream.sendWindow -= length;
      this.window -= length;
      this.end(stream, trailers);
    } else {
      this.body(stream, Buffer.concat([lead, body]));
      this.trailers(stream, trailers);
    }
  }

  /** HEADERS. */
  head(stream: Stream, block: Buffer, end: boolean): void {
    this.headers(stream, block, Flag.END_HEADERS | (end ? Flag.END_STREAM : 0));
    if (end) this.options.ended(stream);
  }

  /** DATA, as far as the windows allow; the rest behind what waits already. */
  body(stream: Stream, bytes: Buffer): void {
    const { waitingBody } = stream;
    stream.waitingBody = waitingBody === undefined ? bytes : Buffer.concat([waitingBody, bytes]);
    this.waitingBytes += bytes.length;
    if (waitingBody !== undefined) return;
    stream.waitingSinceMs = this.options.nowMs();
    this.waiting.add(stream);
    this.pump(stream);
  }

  /** The last HEADERS, when all DATA has left; an empty block: END_STREAM without trailers. */
  trailers(stream: Stream, block: Buffer): void {
    if (stream.waitingBody === undefined) this.end(stream, block);
    else stream.waitingTrailers = block;
  }

  /** Nothing more is sent on it. */
  forget(stream: Stream): void {
    if (!this.waiting.delete(stream)) return;
    this.waitingBytes -= stream.waitingBody?.length ?? 0;
    stream.waitingBody = undefined;
    stream.waitingTrailers = undefined;
  }

  /** WINDOW_UPDATE of the connection. @throws ConnectionError FLOW_CONTROL_ERROR past 2^31-1 */
  growConnection(increment: number): void {
    this.window = grown(this.window, increment);
    for (const stream of this.waiting) this.pump(stream);
  }

  /** WINDOW_UPDATE of a stream. @returns false, with nothing done: past 2^31-1 */
  growStream(stream: Stream, increment: number): boolean {
    if (stream.sendWindow + increment > MAX_31_BITS) return false;
    stream.sendWindow += increment;
    if (this.waiting.has(stream)) this.pump(stream);
    return true;
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE has changed, for open streams too; their windows may become negative (6.9.2). */
  resize(streams: Iterable<Stream>, difference: number): void {
    if (difference === 0) return;
    for (const stream of streams) stream.sendWindow = grown(stream.sendWindow, difference);
    for (const stream of this.waiting) this.pump(stream);
  }

  /** @returns since when the stream waits that has waited longest without any progress; undefined: none waits */
  waitingSinceMs(): number | undefined {
    let since: number | undefined;
    for (const { waitingSinceMs } of this.waiting)
      if (since === undefined || waitingSinceMs < since) since = waitingSinceMs;
    return since;
  }

  private pump(stream: Stream): void {
    const { output, settings } = this.options;
    let rest = stream.waitingBody ?? NOTHING;
    while (rest.length > 0) {
      const length = Math.min(rest.length, stream.sendWindow, this.window, settings.maxFrameBytes);
      if (length <= 0) break;
      output.frame(FrameType.DATA, 0, stream.id, rest.subarray(0, length));
      stream.sendWindow -= length;
      this.window -= length;
      this.waitingBytes -= length;
      stream.waitingSinceMs = this.options.nowMs();
      rest = rest.subarray(length);
    }
    stream.waitingBody = rest.length === 0 ? undefined : rest;
    if (rest.length > 0) return;
    this.waiting.delete(stream);
    if (stream.waitingTrailers !== undefined) this.end(stream, stream.waitingTrailers);
  }

  private end(stream: Stream, trailers: Buffer): void {
    if (trailers.length > 0) this.headers(stream, trailers, Flag.END_HEADERS | Flag.END_STREAM);
    else this.options.output.frame(FrameType.DATA, Flag.END_STREAM, stream.id, NOTHING);
    this.options.ended(stream);
  }

  private headers(stream: Stream, block: Buffer, flags: number): void {
    this.options.output.frame(FrameType.HEADERS, flags, stream.id, this.sizeUpdate, block);
    this.sizeUpdate = NOTHING;
  }
}

function grown(window: number, increment: number): number {
  const sum = window + increment;
  if (sum > MAX_31_BITS)
    throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'a window of more than 2^31-1');
  return sum;
}
