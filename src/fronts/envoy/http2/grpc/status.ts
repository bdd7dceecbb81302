/** How calls end. @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md Responses */
import { encodeFields } from '../hpack/encoder.js';
import type { HeaderField } from '../hpack/header-field.js';
import type { Answer } from '../stream.js';

const NOTHING: Buffer = Buffer.alloc(0);

/** The codes that this server gives. */
export const GrpcStatus = {
  OK: 0,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const;
type FailureCode = Exclude<(typeof GrpcStatus)[keyof typeof GrpcStatus], 0>;

/** A call that ends without an answer. Carries no stack: it is an outcome. */
export class GrpcFailure {
  constructor(
    readonly code: FailureCode,
    readonly message: string,
  ) {}
}

const HEAD = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;

/** Begins every answer that has a message. */
export const ANSWER_HEAD = encodeFields(HEAD);
/** Ends it. */
export const OK_TRAILERS = encodeFields([['grpc-status', String(GrpcStatus.OK)]]);

/** Trailers-Only: the whole answer in one block. */
export function failureBlock(failure: GrpcFailure): Buffer {
  return encodeFields([...HEAD, ...failureFields(failure), ['grpc-accept-encoding', 'identity']]);
}

function failureFields({ code, message }: GrpcFailure) {
  return [
    ['grpc-status', String(code)],
    ['grpc-message', message.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent)],
  ] as const;
}

/** HTTP's own answers to what is no call of gRPC, with a word for the person who tries. */
export const NOT_POST = httpRefusal(405, 'Only gRPC is served here: POST.', [['allow', 'POST']]);
export const NOT_GRPC = httpRefusal(415, 'Only gRPC is served here: content-type application/grpc.');

function httpRefusal(status: number, text: string, fields: readonly HeaderField[] = []): Answer {
  const type = ['content-type', 'text/plain'] as const;
  const head = encodeFields([[':status', String(status)], type, ...fields]);
  return { head, lead: NOTHING, body: Buffer.from(`${text}\n`), trailers: NOTHING };
}
