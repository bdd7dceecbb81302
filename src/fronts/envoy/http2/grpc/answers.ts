import { writeUint32 } from '../frames.js';
import type { Stream } from '../stream.js';
import { PREFIX_BYTES } from './message-assembler.js';
import type { GrpcAnswers } from './service.js';
import { ANSWER_HEAD, failureBlock, GrpcFailure, GrpcStatus, OK_TRAILERS } from './status.js';

/** Copied into the output before anything else is answered. */
const PREFIX = Buffer.alloc(PREFIX_BYTES);

/** Answers a unary call. */
export function answerMessage(stream: Stream, message: Buffer): void {
  writeUint32(PREFIX, 1, message.length);
  stream.answer({ head: ANSWER_HEAD, lead: PREFIX, body: message, trailers: OK_TRAILERS });
}

/** Ends a call without a message. Anything but a GrpcFailure is INTERNAL, and says nothing of itself. */
export function answerFailure(stream: Stream, error: unknown): void {
  const failure =
    error instanceof GrpcFailure ? error : new GrpcFailure(GrpcStatus.INTERNAL, 'internal error');
  stream.head(failureBlock(failure), { end: true });
}

/** The answers of a streaming method. */
export class StreamAnswers implements GrpcAnswers {
  private begun = false;

  constructor(private readonly stream: Stream) {}

  send(message: Buffer): void {
    this.begin();
    const framed = Buffer.alloc(PREFIX_BYTES + message.length);
    writeUint32(framed, 1, message.length);
    message.copy(framed, PREFIX_BYTES);
    this.stream.body(framed);
  }

  end(): void {
    this.begin();
    this.stream.trailers(OK_TRAILERS);
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.stream.head(ANSWER_HEAD, { end: false });
  }
}
