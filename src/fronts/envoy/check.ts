/** Envoy's question and answer as a front: CheckRequest bytes in, CheckResponse bytes out. */
import { Denial } from '../../authz/denial.js';
import type { Front, Guard } from '../../guard/guard.js';
import { createAnswerBytes } from './answer-bytes.js';
import { parseRequest, type CallFacts } from './decode.js';

/** What a gRPC call brings beside its message. */
export interface CheckCall extends CallFacts {
  /** When the caller stops waiting, milliseconds since the epoch; Infinity where it did not say. */
  readonly deadlineMs: number;
}

/** Answers Checks. */
export interface CheckHandler {
  /**
   * Answers one Check; never throws and never rejects.
   *
   * @param bytes the CheckRequest as it came
   * @returns a CheckResponse, as a promise only where something had to be waited for
   */
  check(bytes: Buffer, call: CheckCall): Buffer | Promise<Buffer>;
}

/** Bounds of the front. */
export interface CheckOptions {
  /** Longest message that is decoded, bytes; beyond it 413. Read per Check, because a reload may change it. */
  maxMessageBytes(): number;
}

interface CheckInput {
  readonly bytes: Buffer;
  readonly call: CheckCall;
}

/** @param guard bounds and observes this front, and may do so for others */
export function createCheckHandler(guard: Guard, options: CheckOptions): CheckHandler {
  const front: Front<CheckInput, Buffer> = {
    read({ bytes, call }) {
      if (bytes.length > options.maxMessageBytes()) throw new Denial('message_too_large');
      return parseRequest(bytes, call);
    },
    write: createAnswerBytes(),
  };
  return { check: (bytes, call) => guard.handle(front, { bytes, call }, call.deadlineMs) };
}
