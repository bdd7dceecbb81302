/** Every bound of the transport, with the reason why it is where it is. */

/** Why a connection was ended, or not taken: labels of a metric. */
export const CUT_REASONS = [
  'protocol_error',
  'internal_error',
  // What is counted on one budget: frames that cost work and move no call forward.
  'early_reset',
  'own_reset',
  'ping',
  'settings',
  'priority',
  'empty_data',
  'window_update',
  'unknown_frame',
  // A header block in pieces without end.
  'header_block',
  'queued_bytes',
  'stalled',
  'no_preface',
  'slow_header_block',
  'keepalive',
  'too_many_connections',
] as const;
/** One of them. */
export type CutReason = (typeof CUT_REASONS)[number];

/** The bounds. Times are milliseconds. */
export interface Http2Limits {
  /** Connections of the process. Each holds up to 16 KiB of output and 20 KiB of input between turns. */
  readonly connections: number;
  /** Streams of a connection at once, as SETTINGS_MAX_CONCURRENT_STREAMS says; beyond it REFUSED_STREAM. */
  readonly streams: number;
  /** Handlers of a connection under way, those of streams that the peer has reset included. */
  readonly handlers: number;
  /** Size of a request's header list as RFC 9113 counts it, and of the block that carries it. */
  readonly headerListBytes: number;
  /** CONTINUATION frames of one block (CVE-2024-27316). A frame holds 16 KiB, so an honest block needs two or three. */
  readonly continuations: number;
  /** What a peer may send on one stream, and on all together, before it hears of more (section 6.9). */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** Bytes of messages that are not complete yet, of a connection and of the process. */
  readonly connectionBodyBytes: number;
  readonly processBodyBytes: number;
  /** Bytes of answers that the peer does not take: beyond the first nothing more is read, beyond the second it is cut. */
  readonly pauseQueuedBytes: number;
  readonly queuedBytes: number;
  /** The same for all connections together. */
  readonly processQueuedBytes: number;
  /** How long queued answers may wait without any progress: zero windows and readers that stopped. */
  readonly stallMs: number;
  /** From the connection to its preface, and from HEADERS to END_HEADERS. */
  readonly headerMs: number;
  /** From HEADERS to END_STREAM: a body that drips. */
  readonly bodyMs: number;
  /** Without any frame from the peer for so long, a PING is sent; and without its answer the connection is cut. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** A connection without streams is closed, gracefully, after so long. */
  readonly idleMs: number;
  /** A stream that the peer resets later than this is a deadline that has passed, and costs nothing. */
  readonly honestStreamMs: number;
  /** The budget of a connection in points: what it holds at most, and what comes back per second and per answer. */
  readonly budget: { readonly capacity: number; readonly perSecond: number; readonly perAnswer: number };
}

const MIB = 1024 * 1024;

/** What counts where a test says nothing else. */
export const DEFAULT_LIMITS: Http2Limits = {
  // An Envoy opens one for each of its worker threads.
  connections: 1000,
  streams: 1000,
  handlers: 2000,
  headerListBytes: 32 * 1024,
  continuations: 8,
  streamWindow: 256 * 1024,
  connectionWindow: MIB,
  connectionBodyBytes: 32 * MIB,
  processBodyBytes: 128 * MIB,
  pauseQueuedBytes: 256 * 1024,
  queuedBytes: 8 * MIB,
  processQueuedBytes: 64 * MIB,
  stallMs: 30_000,
  headerMs: 10_000,
  bodyMs: 10_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  idleMs: 10 * 60_000,
  honestStreamMs: 50,
  // Envoy may cancel all its thousand streams ten times over after a pause of the process, and then a thousand a second.
  budget: { capacity: 10_000, perSecond: 1000, perAnswer: 10 },
};

/** What frames cost on the budget. A reset costs little, since honest peers cancel; PING and SETTINGS are answered. */
export const COSTS = {
  early_reset: 1,
  own_reset: 10,
  ping: 10,
  settings: 10,
  priority: 1,
  empty_data: 10,
  window_update: 1,
  unknown_frame: 1,
} as const satisfies Partial<Record<CutReason, number>>;
