/** Envoy's question and answer as a front: CheckRequest bytes in, CheckResponse bytes out. */
import { Denial, type DenialCode } from '../../authz/denial.js';
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
   * @param bytes the CheckRequest as it came; may be a view into a larger chunk
   * @returns a CheckResponse, as a promise only where something had to be waited for
   */
  check(bytes: Buffer, call: CheckCall): Buffer | Promise<Buffer>;
  /** Checks are traced: the call's `traceparent` is wanted. */
  readonly isTraced?: boolean;
  /** For a transport that does not hold a message it need not read. Absent: every message is handed over. */
  readonly refusal?: CheckRefusal;
}

/** Answers Checks whose message was not read. */
export interface CheckRefusal {
  /** Longest message that is judged, bytes; a reload may change it. */
  maxMessageBytes(): number;
  /** @returns a denial; never throws and never rejects */
  refuse(
    why: Extract<DenialCode, 'message_too_large' | 'overloaded'>,
    call: CheckCall,
  ): Buffer | Promise<Buffer>;
}

/** Bounds of the front. */
export interface CheckOptions {
  /** Longest message that is decoded, bytes; beyond it 413. Read per Check, because a reload may change it. */
  maxMessageBytes(): number;
  /** Absent: no. */
  readonly isTraced?: boolean;
}

interface CheckInput {
  readonly bytes: Buffer;
  readonly call: CheckCall;
}

const UNREAD: Buffer = Buffer.alloc(0);

/** @param guard bounds and observes this front, and may do so for others */
export function createCheckHandler(guard: Guard, options: CheckOptions): CheckHandler {
  const write = createAnswerBytes();
  const front: Front<CheckInput, Buffer> = {
    read({ bytes, call }) {
      if (bytes.length > options.maxMessageBytes()) throw new Denial('message_too_large');
      return parseRequest(bytes, call);
    },
    write,
  };
  return {
    isTraced: options.isTraced ?? false,
    check: (bytes, call) => guard.handle(front, { bytes, call }, call.deadlineMs),
    refusal: {
      maxMessageBytes: () => options.maxMessageBytes(),
      refuse: (why, call) => guard.handle(refusing(why, write), { bytes: UNREAD, call }, call.deadlineMs),
    },
  };
}

/** The same front, for a message that has not been read. */
function refusing(why: DenialCode, write: Front<CheckInput, Buffer>['write']): Front<CheckInput, Buffer> {
  return {
    read: () => {
      throw new Denial(why);
    },
    write,
  };
}
