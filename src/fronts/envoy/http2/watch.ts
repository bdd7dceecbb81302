import { calm, ConnectionError, ErrorCode } from './errors.js';
import { FrameType, MAX_31_BITS } from './frames.js';
import type { Session } from './session.js';

/** What time does to a connection. */
export interface WatchedConnection extends Session {
  readonly isOpen: boolean;
  readonly isOver: boolean;
  end(): void;
  destroy(): void;
}

/** Payloads of this side's PINGs. */
const KEEPALIVE = Buffer.from('portcull', 'latin1');
const DRAIN = Buffer.from('draining', 'latin1');
/** A peer that does not answer the PING of a drain gets the last GOAWAY after this time. */
const DRAIN_PING_MS = 1000;
/** After the end of a connection its peer closes its side, or it is destroyed. */
const LINGER_MS = 1000;

/**
 * The time-outs of a connection and its graceful end. One sweep for all takes the place of timers per stream: a call that is
 * answered in time costs nothing.
 */
export class Watch {
  private readonly openedMs: number;
  private heardMs: number;
  private pingedMs: number | undefined;
  private activeMs: number;
  private lastId = 0;
  private endedMs: number | undefined;
  private drainingMs: number | undefined;
  private queued = 0;
  private queueMovedMs: number;

  constructor(
    private readonly connection: WatchedConnection,
    nowMs: number,
  ) {
    this.openedMs = nowMs;
    this.heardMs = nowMs;
    this.activeMs = nowMs;
    this.queueMovedMs = nowMs;
  }

  /** Something came from the peer. */
  heard(nowMs: number): void {
    this.heardMs = nowMs;
    this.pingedMs = undefined;
  }

  /** The connection has said its last word. */
  ended(nowMs: number): void {
    this.endedMs = nowMs;
  }

  /** @throws ConnectionError where a time is over */
  sweep(nowMs: number, queued: number): void {
    if (this.endedMs !== undefined) {
      if (nowMs - this.endedMs > LINGER_MS) this.connection.destroy();
      return;
    }
    this.sweepHeaders(nowMs);
    this.sweepBodies(nowMs);
    this.sweepOutput(nowMs, queued);
    this.sweepIdle(nowMs);
    if (this.drainingMs !== undefined && nowMs - this.drainingMs > DRAIN_PING_MS) this.refuseNew();
  }

  /**
   * Begins a graceful end: the first GOAWAY refuses nothing, so that no request that is on its way is lost. The second one
   * follows when the peer must have heard the first.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9113#section-6.8
   */
  drain(nowMs: number): void {
    const { connection } = this;
    if (this.drainingMs !== undefined || connection.isOver) return;
    this.drainingMs = nowMs;
    connection.output.goAway(MAX_31_BITS, ErrorCode.NO_ERROR);
    connection.output.frame(FrameType.PING, 0, 0, DRAIN);
  }

  /** The peer has read everything that was sent before the PING. */
  pingAnswered(payload: Buffer): void {
    if (this.drainingMs !== undefined && payload.equals(DRAIN)) this.refuseNew();
  }

  /** Ends a connection that takes no new streams and has no old ones. */
  closeWhenDrained(): void {
    const { streams } = this.connection;
    if (streams.lastServed !== Infinity && streams.size === 0) this.connection.end();
  }

  private refuseNew(): void {
    const { streams, output } = this.connection;
    if (streams.lastServed !== Infinity) return;
    streams.lastServed = streams.lastId;
    output.goAway(streams.lastId, ErrorCode.NO_ERROR);
  }

  private sweepHeaders(nowMs: number): void {
    const { isOpen, block, limits } = this.connection;
    if (!isOpen && nowMs - this.openedMs > limits.headerMs) throw calm('no_preface');
    if (nowMs - (block.sinceMs ?? nowMs) > limits.headerMs) throw calm('slow_header_block');
  }

  /** A body that drips costs its stream; each of these resets counts on the budget. */
  private sweepBodies(nowMs: number): void {
    const { streams, limits } = this.connection;
    for (const stream of streams.values())
      if (!stream.remoteEnded && nowMs - stream.openedMs > limits.bodyMs) stream.reset(ErrorCode.CANCEL);
  }

  private sweepOutput(nowMs: number, queued: number): void {
    const { outbound, limits } = this.connection;
    if (queued === 0 || queued !== this.queued) this.queueMovedMs = nowMs;
    this.queued = queued;
    const since = Math.min(this.queueMovedMs, outbound.waitingSinceMs() ?? nowMs);
    if (nowMs - since > limits.stallMs) throw calm('stalled');
  }

  private sweepIdle(nowMs: number): void {
    const { streams, limits, output } = this.connection;
    if (streams.size > 0 || streams.lastId !== this.lastId) {
      this.activeMs = nowMs;
      this.lastId = streams.lastId;
    } else if (nowMs - this.activeMs > limits.idleMs) this.drain(nowMs);
    if (nowMs - this.heardMs <= limits.keepaliveMs) return;
    if (this.pingedMs === undefined) {
      this.pingedMs = nowMs;
      output.frame(FrameType.PING, 0, 0, KEEPALIVE);
    } else if (nowMs - this.pingedMs > limits.keepaliveTimeoutMs) {
      throw new ConnectionError(ErrorCode.NO_ERROR, 'no answer to PING', 'keepalive');
    }
  }
}
