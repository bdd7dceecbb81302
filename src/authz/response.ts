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
import { isKept } from './token/kept.js';
import type {
  Allow,
  AuthzRequest,
  Decision,
  Deny,
  HeaderPair,
  Metadata,
  Policy,
  UpstreamChanges,
} from './types.js';
import { encodeOnce, MessageWriter } from './wire/writer.js';

/** What the operator chose for all answers. */
export interface ResponseOptions {
  /** Which challenges a request without a credential gets. */
  readonly dpop: { readonly algorithms: readonly string[] } | undefined;
  /** `error`: an outage is an error_response, and Envoy's failure mode decides (Envoy 1.37 and later). */
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
const STATUS_OK = encodeStatus(0);
const STATUS_DENIED = encodeStatus(PERMISSION_DENIED);
const STATUS_UNAUTHENTICATED = encodeStatus(UNAUTHENTICATED);

function encodeStatus(code: number): Buffer {
  return encodeOnce((w) => {
    const mark = w.mark();
    w.uint32(1, code);
    w.endMessage(1, mark);
  });
}

/** Answers are built in one turn each, so one writer serves them all. */
const writer = new MessageWriter();

function encode(write: (w: MessageWriter) => void, { keep } = { keep: false }): Buffer {
  // A build that threw half way must not leave its half to the next.
  writer.reset();
  write(writer);
  return keep ? writer.finishToKeep() : writer.finish();
}

/** @param options the operator's choices; validated configuration */
export function createResponseBuilder(options: ResponseOptions): ResponseBuilder {
  const denials = new DenialBytes(options);
  return {
    build: (decision) => (decision.kind === 'allow' ? encodeAllow(decision) : denials.of(decision)),
    headersOf: (decision) => deniedHeaders(decision, options),
  };
}

// ---- allow -----------------------------------------------------------------------------------------------------------

/** An answer that was built before, and what it was built from. */
interface BuiltAllow {
  readonly upstream: UpstreamChanges;
  readonly metadata: Metadata;
  readonly bytes: Buffer;
}

/**
 * Answers by the list of headers they set, which is one object for a token that is kept; without headers, by their
 * metadata, which is one for a policy. Most requests bring a token that was seen before and nothing else of note, and get
 * the very bytes of the last time.
 */
const builtAllows = new WeakMap<readonly HeaderPair[] | Metadata, BuiltAllow>();

function encodeAllow(allow: Allow): Buffer {
  const { ctx, upstream, responseHeaders, metadata } = allow;
  if (responseHeaders.length > 0) return buildAllow(allow, { keep: false });
  const key = upstream.set.length === 0 ? metadata : upstream.set;
  const built = builtAllows.get(key);
  if (built !== undefined && isSame(built, upstream, metadata)) return built.bytes;
  if (ctx.token !== undefined && !isKept(ctx.token)) return buildAllow(allow, { keep: false });
  const bytes = buildAllow(allow, { keep: true });
  builtAllows.set(key, { upstream, metadata, bytes });
  return bytes;
}

/** The very same lists, by identity: nobody writes to one that was handed over. */
function isSame(built: BuiltAllow, { remove, removeQuery }: UpstreamChanges, metadata: Metadata): boolean {
  return (
    built.metadata === metadata &&
    built.upstream.remove === remove &&
    built.upstream.removeQuery === removeQuery
  );
}

function buildAllow({ upstream, responseHeaders, metadata }: Allow, { keep }: { keep: boolean }): Buffer {
  const { set, remove, removeQuery } = upstream;
  return encode(
    (w) => {
      writeMetadata(w, metadata);
      const mark = w.mark();
      w.encoded(removalsOf(8, removeQuery));
      for (const pair of backwards(responseHeaders)) writeHeader(w, 6, pair, actionOf(pair));
      w.encoded(removalsOf(5, remove));
      for (const pair of backwards(set)) writeHeader(w, 2, pair, OVERWRITE_IF_EXISTS_OR_ADD);
      w.endMessage(3, mark);
      w.encoded(STATUS_OK);
    },
    { keep },
  );
}

/** Lists of names are shared between answers, and so are their bytes. */
const removals = new WeakMap<readonly string[], Buffer>();

function removalsOf(field: number, names: readonly string[]): Buffer {
  let bytes = removals.get(names);
  if (bytes === undefined) {
    bytes = encodeOnce((w) => {
      for (const name of backwards(names)) w.text(field, name);
    });
    removals.set(names, bytes);
  }
  return bytes;
}

function* backwards<T>(list: readonly T[]): Generator<T> {
  for (let index = list.length - 1; index >= 0; index--) yield list[index] as T;
}

/** The upstream may expose headers of its own to scripts; ours is one more. */
function actionOf([name]: HeaderPair): number {
  return name === 'access-control-expose-headers' ? APPEND_IF_EXISTS_OR_ADD : OVERWRITE_IF_EXISTS_OR_ADD;
}

function writeHeader(w: MessageWriter, field: number, [name, value]: HeaderPair, action: number): void {
  const option = w.mark();
  w.uint32(3, action);
  const header = w.mark();
  w.text(2, value);
  w.text(1, name);
  w.endMessage(1, header);
  w.endMessage(field, option);
}

// ---- deny ------------------------------------------------------------------------------------------------------------

/** Denials are few and much alike: a flood of them is answered with the bytes of the first one. */
class DenialBytes {
  /** By metadata, which is one object for a reason and a policy until a token is verified; then by what else counts. */
  private readonly built = new WeakMap<Metadata, Buffer[]>();

  constructor(private readonly options: ResponseOptions) {}

  of(decision: Deny): Buffer {
    const variant = variantOf(decision);
    if (variant === undefined) return this.build(decision, { keep: false });
    let variants = this.built.get(decision.metadata);
    if (variants === undefined) this.built.set(decision.metadata, (variants = []));
    return (variants[variant] ??= this.build(decision, { keep: true }));
  }

  private build(decision: Deny, { keep }: { keep: boolean }): Buffer {
    return encode(
      (w) => {
        writeMetadata(w, decision.metadata);
        writeDeny(w, decision, this.options);
      },
      { keep },
    );
  }
}

const SCHEMES = ['none', 'bearer', 'dpop'] as const;
const RPCS = ['none', 'grpc', 'grpc-web', 'connect'] as const;

/** Everything beside code and policy that a plain denial's answer depends on; undefined: this one depends on more. */
function variantOf({ ctx, denial }: Deny): number | undefined {
  // Metadata of a token is made for that token alone.
  if (ctx.token !== undefined || hasDetails(denial)) return undefined;
  const origins = ctx.match?.policy.corsOrigins;
  if (origins !== undefined && origins.size > 0) return undefined;
  const { method, rpc } = ctx.request;
  const scheme = SCHEMES.indexOf(ctx.credential?.scheme ?? 'none');
  const form = RPCS.indexOf(rpc ?? 'none') * 2 + (method === 'HEAD' ? 1 : 0);
  return scheme * RPCS.length * 2 + form;
}

function hasDetails({ details }: Denial): boolean {
  for (const _name in details) return true;
  return false;
}

/** Status and denied_response. */
function writeDeny(w: MessageWriter, decision: Deny, options: ResponseOptions): void {
  const { ctx, denial } = decision;
  const { entry } = denial;
  const headers = deniedHeaders(decision, options);
  const body = bodyFor(ctx.request, entry, ctx.match?.policy.errors ?? 'oauth');
  if (body !== undefined) headers.push(['content-type', body.contentType]);
  const denied = w.mark();
  if (body !== undefined) w.text(3, body.text);
  // Several values of one name must all arrive: action 0 adds.
  for (const pair of backwards(headers)) writeHeader(w, 2, pair, APPEND_IF_EXISTS_OR_ADD);
  const status = w.mark();
  w.uint32(1, entry.http);
  w.endMessage(1, status);
  w.endMessage(options.failure === 'error' && denial.isOutage ? 5 : 2, denied);
  w.encoded(entry.http === 401 ? STATUS_UNAUTHENTICATED : STATUS_DENIED);
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
    case 413:
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
function writeMetadata(w: MessageWriter, metadata: Metadata): void {
  const mark = w.mark();
  writeStruct(w, metadata);
  if (w.mark() !== mark) w.endMessage(4, mark);
}

function writeStruct(w: MessageWriter, object: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const entry = w.mark();
    const content = w.mark();
    writeValue(w, value);
    w.endMessage(2, content);
    w.text(1, key);
    w.endMessage(1, entry);
  }
}

/** google.protobuf.Value of a JSON value; what is not JSON is null. */
function writeValue(w: MessageWriter, value: unknown): void {
  if (typeof value === 'string') w.text(3, value);
  else if (typeof value === 'number') w.double(2, value);
  else if (typeof value === 'boolean') w.uint32(4, value ? 1 : 0);
  else if (Array.isArray(value)) writeList(w, value);
  else if (typeof value === 'object' && value !== null) {
    const mark = w.mark();
    writeStruct(w, value as Readonly<Record<string, unknown>>);
    w.endMessage(5, mark);
  } else w.uint32(1, 0);
}

function writeList(w: MessageWriter, list: readonly unknown[]): void {
  const mark = w.mark();
  for (const member of backwards(list)) {
    const content = w.mark();
    writeValue(w, member);
    w.endMessage(1, content);
  }
  w.endMessage(6, mark);
}
