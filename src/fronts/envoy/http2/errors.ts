/** How a stream or a connection ends before its time. */
import type { CutReason } from './limits.js';

/** Error codes of RST_STREAM and GOAWAY. @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;
/** One of the codes that this server sends. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/**
 * Ends the whole connection. Most errors that the RFC calls stream errors are treated so here, as section 5.4.1 allows:
 * an honest peer makes none of them, and a server that answers them with RST_STREAM can be made to reset streams
 * without end (CVE-2025-8671). Carries no stack: hostile input is expected.
 */
export class ConnectionError {
  constructor(
    readonly code: ErrorCode,
    readonly message: string,
    /** What is counted; a plain violation of the protocol unless a bound was passed. */
    readonly reason: CutReason = 'protocol_error',
  ) {}
}

/** @returns the error of a peer that went past a bound */
export function calm(reason: CutReason): ConnectionError {
  return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, reason, reason);
}
