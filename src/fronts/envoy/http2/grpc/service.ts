import type { Stream } from '../stream.js';
import type { Unread } from './message-assembler.js';

/** What a call says beside its message. */
export interface GrpcCall {
  readonly authority: string | undefined;
  /** When the caller stops waiting, milliseconds since the epoch; Infinity where it did not say. */
  readonly deadlineMs: number;
  /** The values of a metadata field, in their order; those of a name in `-bin` are decoded from base64. */
  metadata(name: string): readonly (string | Buffer)[];
}

/** A method with one message each way. */
export interface UnaryMethod {
  readonly kind: 'unary';
  /**
   * @param message to be read before this returns or its promise is handed back: it may be a view into what was received
   * @throws GrpcFailure to end the call without an answer, or rejects with it; any other error is INTERNAL
   */
  handle(message: Buffer, call: GrpcCall): Buffer | Promise<Buffer>;
  /** Answers where the message is not held; absent: the call ends with RESOURCE_EXHAUSTED. */
  refuse?(why: Unread, call: GrpcCall): Buffer | Promise<Buffer>;
}

/** A method that goes on answering. */
export interface StreamingMethod {
  readonly kind: 'streaming';
  /** @throws GrpcFailure to end the call at once */
  open(message: Buffer, answers: GrpcAnswers): void;
  closed(answers: GrpcAnswers): void;
}

/** Messages of a streaming method. */
export interface GrpcAnswers {
  send(message: Buffer): void;
  end(): void;
}

/** By path, such as `/package.Service/Method`. */
export type GrpcMethods = ReadonlyMap<string, UnaryMethod | StreamingMethod>;

/** Bounds of calls. */
export interface GrpcBounds {
  /** Longest message that is held, bytes. Read per call. */
  maxMessageBytes(): number;
  /** The wall clock, for deadlines. */
  now(): number;
}

/** A stream, and what belongs to it. */
export interface CallParts {
  readonly stream: Stream;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly authority: string | undefined;
  readonly deadlineMs: number;
}
