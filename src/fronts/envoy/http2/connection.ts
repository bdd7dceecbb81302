import { createHpackDecoder, type HpackDecoder } from './hpack/decoder.js';
import { HpackError } from './hpack/hpack-error.js';
import { Budget } from './budget.js';
import { assertFirst, dispatch } from './dispatch.js';
import { ConnectionError, ErrorCode } from './errors.js';
import { FrameReader } from './frame-reader.js';
import { DEFAULT_WINDOW, FrameType, type FrameHead } from './frames.js';
import { HeaderBlock } from './header-block.js';
import type { CutReason, Http2Limits } from './limits.js';
import { Outbound } from './outbound.js';
import { Output } from './output.js';
import { ownSettings, PeerSettings } from './peer-settings.js';
import { Preface } from './preface.js';
import type { QueuedBytes } from './queued-bytes.js';
import { ReceiveWindow } from './receive-window.js';
import type { Session } from './session.js';
import type { Answer, RequestHandler, Stream } from './stream.js';
import { StreamFrames } from './stream-frames.js';
import { StreamTable } from './stream-table.js';
import { Watch } from './watch.js';

/** What a connection gets from its server. */
export interface ConnectionOptions {
  readonly limits: Http2Limits;
  readonly handler: RequestHandler;
  readonly queued: QueuedBytes;
  /** Monotonic, milliseconds. */
  nowMs(): number;
  /** The peer was cut, and why. The error is given where it is a fault of ours. */
  cut(reason: CutReason, error?: unknown): void;
}

/** The part of a socket that is used. */
export interface ConnectionSocket {
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  end(): void;
  destroy(): void;
  pause(): void;
  resume(): void;
}

/**
 * One connection of HTTP/2, server side. Reads synchronously: when `receive` returns, everything in the chunk has been
 * acted on, and what could be answered has been written, in one write.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113
 */
export class Connection implements Session {
  nowMs: number;
  readonly limits: Http2Limits;
  readonly handler: RequestHandler;
  readonly budget: Budget;
  readonly decoder: HpackDecoder;
  readonly block: HeaderBlock;
  readonly settings = new PeerSettings();
  readonly streams = new StreamTable();
  readonly output = new Output();
  readonly outbound: Outbound;
  readonly watch: Watch;
  /** Did GOAWAY end it? What still comes is thrown away. */
  isOver = false;
  /** Did the peer begin as it must, with SETTINGS? */
  isOpen = false;
  private readonly preface = new Preface();
  private readonly frames: FrameReader;
  private readonly streamFrames: StreamFrames;
  private isReading = false;
  private isFlushScheduled = false;
  private isPaused = false;

  constructor(
    private readonly socket: ConnectionSocket,
    private readonly options: ConnectionOptions,
  ) {
    const { limits } = options;
    this.limits = limits;
    this.handler = options.handler;
    this.nowMs = options.nowMs();
    this.budget = new Budget(limits.budget, this.nowMs);
    this.decoder = createHpackDecoder({ maxTableBytes: 4096, maxListBytes: limits.headerListBytes });
    this.block = new HeaderBlock(limits);
    this.outbound = new Outbound({
      output: this.output,
      settings: this.settings,
      ended: (stream) => this.ended(stream),
      nowMs: () => this.nowMs,
    });
    this.frames = new FrameReader((head, bytes, start) => this.take(head, bytes, start));
    this.streamFrames = new StreamFrames(this, new ReceiveWindow(limits.connectionWindow));
    this.watch = new Watch(this, this.nowMs);
    this.output.frame(FrameType.SETTINGS, 0, 0, ownSettings(limits));
    this.output.number(FrameType.WINDOW_UPDATE, 0, limits.connectionWindow - DEFAULT_WINDOW);
    this.flush();
  }

  /** Takes what the socket has read. Never throws. */
  receive(chunk: Buffer): void {
    if (this.isOver) return;
    this.nowMs = this.options.nowMs();
    this.watch.heard(this.nowMs);
    this.isReading = true;
    try {
      const at = this.preface.isComplete ? 0 : this.preface.read(chunk);
      this.frames.read(chunk, at);
    } catch (error) {
      this.fail(error);
    }
    this.isReading = false;
    this.flush();
  }

  /** The socket has taken what was queued. */
  drained(): void {
    this.bound();
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket.resume();
  }

  /** Looks after time-outs. */
  sweep(): void {
    this.nowMs = this.options.nowMs();
    try {
      this.watch.sweep(this.nowMs, this.socket.writableLength);
    } catch (error) {
      this.fail(error);
    }
    this.flush();
  }

  /** The socket is gone. */
  closed(): void {
    this.isOver = true;
    for (const stream of this.streams.values()) this.abandon(stream);
    this.options.queued.set(this, 0);
  }

  /** Takes no new streams, and closes when those that are open have ended (section 6.8). */
  drain(): void {
    this.watch.drain(this.nowMs);
    this.flush();
  }

  answer(stream: Stream, answer: Answer): void {
    this.outbound.answer(stream, answer);
    this.wake();
  }

  head(stream: Stream, block: Buffer, end: boolean): void {
    this.outbound.head(stream, block, end);
    this.wake();
  }

  body(stream: Stream, bytes: Buffer): void {
    this.outbound.body(stream, bytes);
    this.wake();
  }

  trailers(stream: Stream, block: Buffer): void {
    this.outbound.trailers(stream, block);
    this.wake();
  }

  reset(stream: Stream, code: ErrorCode): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.abandon(stream);
    try {
      this.refuse(stream.id, code);
    } catch (error) {
      this.fail(error);
    }
    this.wake();
  }

  refuse(streamId: number, code: ErrorCode): void {
    this.budget.spend('own_reset', this.nowMs);
    this.streams.rememberReset(streamId);
    this.output.number(FrameType.RST_STREAM, streamId, code);
  }

  abandon(stream: Stream): void {
    this.outbound.forget(stream);
    this.streams.remove(stream);
    const { reader } = stream;
    stream.reader = undefined;
    stream.localEnded = true;
    stream.remoteEnded = true;
    reader?.aborted();
  }

  closeIfDone(stream: Stream): void {
    if (stream.localEnded && stream.remoteEnded) this.streams.remove(stream);
  }

  pingAnswered(payload: Buffer): void {
    this.watch.pingAnswered(payload);
  }

  /** Says why, and ends the connection. */
  goAway(code: ErrorCode): void {
    this.output.goAway(this.streams.lastId, code);
    this.end();
  }

  /** Ends the connection when everything is written; the server destroys it if the peer does not. */
  end(): void {
    if (this.isOver) return;
    this.output.flush(this.socket);
    this.isOver = true;
    this.watch.ended(this.nowMs);
    for (const stream of this.streams.values()) this.abandon(stream);
    this.socket.end();
    if (this.isPaused) this.socket.resume();
  }

  /** Ends it without another word. */
  destroy(): void {
    this.socket.destroy();
  }

  private take(head: FrameHead, bytes: Buffer, start: number): void {
    // What follows a GOAWAY of ours in the same chunk.
    if (this.isOver) return;
    if (!this.isOpen) {
      assertFirst(head);
      this.isOpen = true;
    }
    dispatch({ session: this, streams: this.streamFrames, head, bytes, start });
  }

  private ended(stream: Stream): void {
    stream.localEnded = true;
    stream.reader = undefined;
    this.budget.earn();
    // Section 8.1: the answer is complete, and the rest of the request is not wanted.
    if (!stream.remoteEnded) this.reset(stream, ErrorCode.NO_ERROR);
    this.closeIfDone(stream);
  }

  /** Answers that come while a chunk is read leave with it; later ones at the end of their turn, together. */
  private wake(): void {
    if (this.isReading || this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.isOver) return;
    this.watch.closeWhenDrained();
    this.output.flush(this.socket);
    this.bound();
  }

  /** What the peer does not take is bounded: first no more is read, then the connection is cut. */
  private bound(): void {
    const queued = this.socket.writableLength + this.outbound.waitingBytes;
    const { limits } = this;
    this.options.queued.set(this, queued);
    // Many slow readers may be far below their own bound: past that of the process, whoever has more than its share is cut.
    const share = limits.processQueuedBytes / limits.connections;
    const bound = this.options.queued.isOver ? Math.min(share, limits.queuedBytes) : limits.queuedBytes;
    if (queued <= limits.pauseQueuedBytes && queued <= bound) return;
    if (queued > bound) {
      this.options.cut('queued_bytes');
      this.destroy();
    } else if (!this.isPaused && this.socket.writableLength > limits.pauseQueuedBytes) {
      this.isPaused = true;
      this.socket.pause();
    }
  }

  private fail(error: unknown): void {
    if (this.isOver) return;
    if (error instanceof ConnectionError) {
      this.options.cut(error.reason);
      this.goAway(error.code);
    } else if (error instanceof HpackError) {
      this.options.cut('protocol_error');
      this.goAway(ErrorCode.COMPRESSION_ERROR);
    } else {
      this.options.cut('internal_error', error);
      this.goAway(ErrorCode.INTERNAL_ERROR);
    }
  }
}
