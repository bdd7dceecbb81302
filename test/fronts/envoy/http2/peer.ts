/** A connection of the lean transport without a socket: what its peer sends is a call, and its clock is the test's. */
import { ByteBudget } from '../../../../src/fronts/envoy/http2/byte-budget.js';
import { Connection, type ConnectionSocket } from '../../../../src/fronts/envoy/http2/connection.js';
import { GrpcHandler } from '../../../../src/fronts/envoy/http2/grpc/handler.js';
import type { GrpcMethods, UnaryMethod } from '../../../../src/fronts/envoy/http2/grpc/service.js';
import {
  DEFAULT_LIMITS,
  type CutReason,
  type Http2Limits,
} from '../../../../src/fronts/envoy/http2/limits.js';
import { QueuedBytes } from '../../../../src/fronts/envoy/http2/queued-bytes.js';
import type { RequestHandler } from '../../../../src/fronts/envoy/http2/stream.js';
import { FrameParser, HELLO, TYPE, type Frame } from './wire-frames.js';

/** Takes what is written. A slow reader is one whose `writableLength` grows. */
export class PeerSocket implements ConnectionSocket {
  writableLength = 0;
  destroyed = false;
  isEnded = false;
  isPaused = false;
  /** Nothing is taken from the socket: what is written waits. */
  isStuck = false;
  readonly frames: Frame[] = [];
  readonly parser = new FrameParser();

  write(bytes: Uint8Array): boolean {
    if (this.isStuck) this.writableLength += bytes.length;
    this.frames.push(...this.parser.add(bytes));
    return !this.isStuck;
  }
  cork(): void {
    // One write or several: the same here.
  }
  uncork(): void {
    // As above.
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
}

/** How a peer differs from the usual one. */
export interface PeerOptions {
  readonly limits?: Partial<Http2Limits>;
  readonly handler?: RequestHandler;
  readonly queued?: QueuedBytes;
}

/** Answers after a call is asked to: none is ever answered by itself. */
export const PATIENT = '/test.Test/Patient';
/** Answers with the message, at once. */
export const ECHO = '/test.Test/Echo';

/** A connection and its peer. */
export class Peer {
  nowMs = 1000;
  readonly cuts: CutReason[] = [];
  readonly faults: unknown[] = [];
  readonly socket = new PeerSocket();
  readonly bodies: ByteBudget;
  readonly grpc: GrpcHandler;
  readonly connection: Connection;
  /** Ends the calls of PATIENT, in their order. */
  readonly answers: ((message: Buffer) => void)[] = [];

  constructor(options: PeerOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.bodies = new ByteBudget(limits.connectionBodyBytes, new ByteBudget(limits.processBodyBytes));
    this.grpc = new GrpcHandler({
      methods: this.methods(),
      bodies: this.bodies,
      maxHandlers: limits.handlers,
      maxMessageBytes: () => 1024 * 1024,
      now: () => this.nowMs,
    });
    this.connection = new Connection(this.socket, {
      limits,
      handler: options.handler ?? this.grpc,
      queued: options.queued ?? new QueuedBytes(limits.processQueuedBytes),
      nowMs: () => this.nowMs,
      cut: (reason, error) => {
        this.cuts.push(reason);
        if (error !== undefined) this.faults.push(error);
      },
    });
  }

  /** Sends bytes as one chunk. */
  send(...parts: readonly Uint8Array[]): this {
    this.connection.receive(Buffer.concat(parts));
    return this;
  }

  hello(): this {
    return this.send(HELLO);
  }

  /** Lets time pass, and what looks at it run. */
  pass(ms: number): this {
    this.nowMs += ms;
    this.connection.sweep();
    return this;
  }

  /** Sends the same again and again until the connection is over. @returns how often, at most `limit` */
  flood(make: (round: number) => Uint8Array, limit: number): number {
    let round = 0;
    while (round < limit && !this.connection.isOver && !this.socket.destroyed) this.send(make(round++));
    return round;
  }

  /** The error code of the last GOAWAY. */
  get goAway(): number | undefined {
    return this.socket.frames
      .filter(({ type }) => type === TYPE.GOAWAY)
      .at(-1)
      ?.payload.readUInt32BE(4);
  }

  /** Error codes of the RST_STREAM frames of a stream. */
  resets(id: number): number[] {
    return this.socket.frames
      .filter((each) => each.type === TYPE.RST_STREAM && each.id === id)
      .map(({ payload }) => payload.readUInt32BE(0));
  }

  private methods(): GrpcMethods {
    return new Map<string, UnaryMethod>([
      [
        ECHO,
        { kind: 'unary', handle: (message) => Buffer.from(message), refuse: () => Buffer.from('refused') },
      ],
      [
        PATIENT,
        {
          kind: 'unary',
          handle: () => new Promise<Buffer>((resolve) => this.answers.push(resolve)),
          refuse: () => Buffer.from('refused'),
        },
      ],
    ]);
  }
}
