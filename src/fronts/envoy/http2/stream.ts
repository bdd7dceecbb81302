import type { ErrorCode } from './errors.js';
import type { RequestHead } from './request-head.js';

/** Serves the requests of a connection, whatever they are. */
export interface RequestHandler {
  /**
   * Called at HEADERS. May answer at once.
   *
   * @returns who takes the body; undefined: it is discarded
   * @throws what it throws ends the connection: nothing is known of the answer then
   */
  begin(stream: Stream, head: RequestHead): RequestReader | undefined;
}

/** Takes the body of one request. */
export interface RequestReader {
  /**
   * @param bytes never overwritten later, but a view into a larger chunk: what is kept beyond this call is to be copied
   * @param isLast END_STREAM: nothing follows
   */
  data(bytes: Buffer, start: number, end: number, isLast: boolean): void;
  /** The stream is gone before it was answered. Nothing more is called. */
  aborted(): void;
}

/** An answer in one: field block, body in two pieces, field block of the trailers. */
export interface Answer {
  readonly head: Buffer;
  readonly lead: Buffer;
  readonly body: Buffer;
  /** Empty: there are none. */
  readonly trailers: Buffer;
}

/** Where a stream writes to. */
export interface StreamOwner {
  answer(stream: Stream, answer: Answer): void;
  /** @param end no body and no trailers follow */
  head(stream: Stream, block: Buffer, end: boolean): void;
  body(stream: Stream, bytes: Buffer): void;
  trailers(stream: Stream, block: Buffer): void;
  reset(stream: Stream, code: ErrorCode): void;
}

/**
 * One request and its answer. Answers go through the stream they belong to, whose number never changes. Streams are
 * never used twice, and a number never comes again (section 5.1.1): so an answer cannot reach another stream, however late
 * it comes. What is written to a stream that has ended is dropped.
 */
export class Stream {
  /** END_STREAM was received; sent; or the stream is gone. */
  remoteEnded = false;
  localEnded = false;
  reader: RequestReader | undefined;
  /** Bytes of DATA that came, and may still come before the peer must hear of more. */
  receivedBytes = 0;
  /** Body that waits for the peer's window, and trailers that wait behind it. */
  waitingBody: Buffer | undefined;
  waitingTrailers: Buffer | undefined;
  /** When the body began to wait, or last went on. */
  waitingSinceMs = 0;

  constructor(
    readonly id: number,
    private readonly owner: StreamOwner,
    readonly openedMs: number,
    /** What may be received and sent now. */
    public receiveWindow: number,
    public sendWindow: number,
    readonly contentLength: number | undefined,
  ) {}

  /** Sends all of an answer. */
  answer(answer: Answer): void {
    if (!this.localEnded) this.owner.answer(this, answer);
  }

  /** Sends the field block that begins an answer in parts, or that is the whole of it. */
  head(block: Buffer, { end }: { readonly end: boolean }): void {
    if (!this.localEnded) this.owner.head(this, block, end);
  }

  /** Sends a part of the body; it is copied, or kept until the peer takes it, so it must not be changed. */
  body(bytes: Buffer): void {
    if (!this.localEnded) this.owner.body(this, bytes);
  }

  /** Ends the answer. */
  trailers(block: Buffer): void {
    if (!this.localEnded) this.owner.trailers(this, block);
  }

  /** Gives the stream up. */
  reset(code: ErrorCode): void {
    this.owner.reset(this, code);
  }
}
