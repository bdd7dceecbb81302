import type { ByteBudget } from '../byte-budget.js';
import type { RequestHead } from '../request-head.js';
import type { Answer, RequestHandler, RequestReader, Stream } from '../stream.js';
import { answerFailure } from './answers.js';
import { IncomingStreamingCall, IncomingUnaryCall } from './incoming-call.js';
import type { GrpcBounds, GrpcMethods } from './service.js';
import { GrpcFailure, GrpcStatus, NOT_GRPC, NOT_POST } from './status.js';
import { parseTimeout } from './timeout.js';

/** What the calls of one connection share. */
export interface GrpcHandlerOptions extends GrpcBounds {
  readonly methods: GrpcMethods;
  /** For messages that are not complete. */
  readonly bodies: ByteBudget;
  /** Handlers under way at once, those of abandoned calls included. */
  readonly maxHandlers: number;
}

const UNKNOWN_METHOD = new GrpcFailure(GrpcStatus.UNIMPLEMENTED, 'unknown method');
const COMPRESSED = new GrpcFailure(GrpcStatus.UNIMPLEMENTED, 'compression is not supported');
const BAD_TIMEOUT = new GrpcFailure(GrpcStatus.INTERNAL, 'grpc-timeout is not a time');
const GRPC_CONTENT = /^application\/grpc(?:$|[+;])/;

/**
 * gRPC over the streams of one connection. A call that cannot succeed is ended at its HEADERS: a client of an unknown
 * streaming method may never end its side.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class GrpcHandler implements RequestHandler {
  /** Handlers that have not answered. */
  underWay = 0;

  constructor(readonly options: GrpcHandlerOptions) {}

  begin(stream: Stream, head: RequestHead): RequestReader | undefined {
    if (head.method !== 'POST') {
      return new RefusedRequest(stream, NOT_POST);
    }
    let contentType = '';
    let encoding = 'identity';
    let timeout: string | undefined;
    for (const [name, value] of head.fields) {
      if (name === 'content-type') contentType = value;
      else if (name === 'grpc-timeout') timeout = value;
      else if (name === 'grpc-encoding') encoding = value;
    }
    if (!GRPC_CONTENT.test(contentType)) {
      return new RefusedRequest(stream, NOT_GRPC);
    }
    const method = this.options.methods.get(head.path);
    if (method === undefined) {
      fail(stream, UNKNOWN_METHOD);
      return;
    }
    if (encoding !== 'identity') {
      fail(stream, COMPRESSED);
      return;
    }
    const timeoutMs = timeout === undefined ? Infinity : parseTimeout(timeout);
    if (timeoutMs === undefined) {
      fail(stream, BAD_TIMEOUT);
      return;
    }
    const deadlineMs = timeoutMs === Infinity ? Infinity : this.options.now() + timeoutMs;
    const { fields, authority } = head;
    const parts = { stream, fields, authority, deadlineMs };
    return method.kind === 'unary'
      ? new IncomingUnaryCall(this, method, parts)
      : new IncomingStreamingCall(this, method, parts);
  }
}

/** A request that is no call of gRPC: answered when it is complete, so that a malformed one is found to be that. */
class RefusedRequest implements RequestReader {
  constructor(
    private readonly stream: Stream,
    private readonly answer: Answer,
  ) {}

  data(_bytes: Buffer, _start: number, _end: number, isLast: boolean): void {
    if (isLast) this.stream.answer(this.answer);
  }

  aborted(): void {
    // Nothing is held.
  }
}

function fail(stream: Stream, failure: GrpcFailure): undefined {
  answerFailure(stream, failure);
  return undefined;
}
