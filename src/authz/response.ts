/**
 * Decision → CheckResponse bytes. The only builder of answers: an unset status is 0, and 0 allows, so nothing else
 * may write one. A denial always carries a non-zero code and a denied_response (or error_response), an allow always a
 * full ok_response; `append` is never written.
 *
 * @see docs/architecture.md the one invariant
 */
import { challengesOf } from './challenge.js';
import { bodyOf, type DenialBody } from './denial-body.js';
import type { Denial, DenialEntry } from './denial.js';
import type { Allow, AuthzRequest, Decision, Deny, HeaderPair, Metadata, Policy } from './types.js';
import { encodeBytes, encodeDouble, encodeMessage, encodeText, encodeUint32 } from './wire/writer.js';

/** What the operator chose for all answers. */
export interface ResponseOptions {
  /** Which challenges a request without a credential gets. */
  readonly dpop: { readonly algorithms: readonly string[] } | undefined;
  /** `error`: a fault is an error_response, and Envoy's failure mode decides (Envoy 1.37 and later). */
  readonly failure: 'deny' | 'error';
}

/** Builds answers. */
export interface ResponseBuilder {
  /** @returns the bytes of a CheckResponse, never empty */
  build(decision: Decision): Buffer;
  /** @returns what the client of a denied request gets, for `explain` */
  headersOf(decision: Deny): readonly HeaderPair[];
}

/** google.rpc codes that Envoy takes as a denial, and that mean what they say. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** HeaderAppendAction. */
const APPEND_IF_EXISTS_OR_ADD = 0;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** Status {code: 0}, written out: an empty Status is as good for Envoy, but this says that it is meant. */
const STATUS_OK = encodeMessage(1, [encodeUint32(1, 0)]);
const STATUS_DENIED = encodeMessage(1, [encodeUint32(1, PERMISSION_DENIED)]);
const STATUS_UNAUTHENTICATED = encodeMessage(1, [encodeUint32(1, UNAUTHENTICATED)]);

/** @param options the operator's choices; validated configuration */
export function createResponseBuilder(options: ResponseOptions): ResponseBuilder {
  return {
    build: (decision) => (decision.kind === 'allow' ? encodeAllow(decision) : encodeDeny(decision, options)),
    headersOf: (decision) => deniedHeaders(decision, options),
  };
}

// ---- allow -----------------------------------------------------------------------------------------------------------

/** Removal lists are shared between requests, and so are their bytes. */
const removalBytes = new WeakMap<readonly string[], Buffer>();

function encodeRemovals(field: number, names: readonly string[]): Buffer {
  let bytes = removalBytes.get(names);
  if (bytes === undefined) {
    bytes = Buffer.concat(names.map((name) => encodeText(field, name)));
    if (Object.isFrozen(names)) removalBytes.set(names, bytes);
  }
  return bytes;
}

function encodeAllow({ upstream, responseHeaders, metadata }: Allow): Buffer {
  const ok = encodeMessage(3, [
    ...upstream.set.map((pair) => encodeHeader(2, pair, OVERWRITE_IF_EXISTS_OR_ADD)),
    encodeRemovals(5, upstream.remove),
    ...responseHeaders.map((pair) => encodeHeader(6, pair, OVERWRITE_IF_EXISTS_OR_ADD)),
    encodeRemovals(8, upstream.removeQuery),
  ]);
  return Buffer.concat([STATUS_OK, ok, encodeMetadata(metadata)]);
}

function encodeHeader(field: number, [name, value]: HeaderPair, action: number): Buffer {
  return encodeMessage(field, [
    encodeMessage(1, [encodeText(1, name), encodeText(2, value)]),
    encodeUint32(3, action),
  ]);
}

// ---- deny ------------------------------------------------------------------------------------------------------------

function encodeDeny(decision: Deny, options: ResponseOptions): Buffer {
  const { ctx, denial, metadata } = decision;
  const { entry } = denial;
  const headers = deniedHeaders(decision, options);
  const body = bodyFor(ctx.request, entry, ctx.match?.policy.errors ?? 'oauth');
  const denied = [
    encodeMessage(1, [encodeUint32(1, entry.http)]),
    // Several values of one name must all arrive: action 0 adds.
    ...headers.map((pair) => encodeHeader(2, pair, APPEND_IF_EXISTS_OR_ADD)),
    ...(body === undefined
      ? []
      : [
          encodeHeader(2, ['content-type', body.contentType], APPEND_IF_EXISTS_OR_ADD),
          encodeText(3, body.text),
        ]),
  ];
  const field = options.failure === 'error' && entry.http >= 500 ? 5 : 2;
  const status = entry.http === 401 ? STATUS_UNAUTHENTICATED : STATUS_DENIED;
  return Buffer.concat([status, encodeMessage(field, denied), encodeMetadata(metadata)]);
}

function deniedHeaders({ ctx, denial }: Deny, { dpop }: ResponseOptions): HeaderPair[] {
  return [
    ...challengesOf(denial, { scheme: ctx.credential?.scheme, dpop }),
    ...fixedHeaders(denial, ctx.request),
    ...corsHeaders(ctx.request, ctx.match?.policy.corsOrigins),
  ];
}

function fixedHeaders(denial: Denial, request: AuthzRequest): HeaderPair[] {
  const headers: HeaderPair[] = [['cache-control', 'no-store']];
  if (denial.details.nonce !== undefined) headers.push(['dpop-nonce', denial.details.nonce]);
  if (denial.entry.http === 503) headers.push(['retry-after', String(denial.details.retryAfterS ?? 1)]);
  if (request.rpc === 'grpc' || request.rpc === 'grpc-web') {
    headers.push(['grpc-status', grpcStatusOf(denial.entry)]);
  }
  return headers;
}

/** gRPC status of a denied gRPC call: UNAUTHENTICATED, INVALID_ARGUMENT, UNAVAILABLE, else PERMISSION_DENIED. */
function grpcStatusOf(entry: DenialEntry): string {
  switch (entry.http) {
    case 401:
      return '16';
    case 400:
      return '3';
    case 500:
    case 503:
      return '14';
    case 403:
      return '7';
  }
}

/** Envoy makes grpc-message of the body of a denied gRPC call, so that one gets the plain text. HEAD gets none. */
function bodyFor(
  request: AuthzRequest,
  entry: DenialEntry,
  format: Policy['errors'],
): DenialBody | undefined {
  if (request.method === 'HEAD') return undefined;
  if (request.rpc === 'grpc' || request.rpc === 'grpc-web')
    return { contentType: 'text/plain', text: entry.text };
  return bodyOf(entry, request.rpc === 'connect' ? 'connect' : format);
}

/** What lets a browser's script read the denial, its challenge and the nonce (Fetch, "CORS protocol"). */
function corsHeaders(request: AuthzRequest, origins: ReadonlySet<string> | undefined): HeaderPair[] {
  const origin = request.headers.get('origin');
  if (origin === undefined || origins?.has(origin) !== true) return [];
  return [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
    ['access-control-expose-headers', 'www-authenticate, dpop-nonce, retry-after'],
    ['vary', 'origin'],
  ];
}

// ---- metadata --------------------------------------------------------------------------------------------------------

/** google.protobuf.Struct; an empty one is left out. */
function encodeMetadata(metadata: Metadata): Buffer {
  const fields = encodeStruct(metadata);
  return fields.length === 0 ? fields : encodeBytes(4, fields);
}

function encodeStruct(object: Readonly<Record<string, unknown>>): Buffer {
  const fields: Buffer[] = [];
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined)
      fields.push(encodeMessage(1, [encodeText(1, key), encodeBytes(2, encodeValue(value))]));
  }
  return Buffer.concat(fields);
}

/** google.protobuf.Value of a JSON value; what is not JSON is null. */
function encodeValue(value: unknown): Buffer {
  if (typeof value === 'string') return encodeText(3, value);
  if (typeof value === 'number') return encodeDouble(2, value);
  if (typeof value === 'boolean') return encodeUint32(4, value ? 1 : 0);
  if (Array.isArray(value))
    return encodeMessage(
      6,
      value.map((member) => encodeBytes(1, encodeValue(member))),
    );
  if (typeof value === 'object' && value !== null) {
    return encodeBytes(5, encodeStruct(value as Readonly<Record<string, unknown>>));
  }
  return encodeUint32(1, 0);
}
