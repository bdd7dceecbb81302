/**
 * CheckRequest bytes → AuthzRequest. Only the fields that decisions read are decoded; the others are skipped without
 * looking. Both forms of the headers are read: the map, in which Envoy has joined equal names with a comma, and
 * `header_map` of encode_raw_headers, where each field stands alone.
 */
import { assertRequestLine, isVisibleAscii, rpcOf, splitTarget } from '../../authz/create-request.js';
import { Denial } from '../../authz/denial.js';
import type { AuthzRequest, RequestHeaders } from '../../authz/types.js';
import { HeaderBag, NO_FIELDS } from './header-bag.js';
import { WireError, WireReader } from './wire/reader.js';

/** What the gRPC call itself says, beside its message. Trusted: the operator's Envoy sets it. */
export interface CallFacts {
  /** Metadata `portcullis-policy`. */
  readonly policy: string | undefined;
  /** The call's `:authority`. */
  readonly authority: string | undefined;
  /** Metadata `traceparent`; absent unless Checks are traced. */
  readonly traceParent?: string | undefined;
}

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

/** Rarely used facts are computed on demand. */
class DecodedRequest implements AuthzRequest {
  readonly path: string;
  readonly query: string | undefined;
  readonly method: string;
  readonly host: string;
  readonly headers: RequestHeaders;
  readonly peerCertificate: string | undefined;
  readonly contextExtensions: ReadonlyMap<string, string>;
  readonly callPolicy: string | undefined;
  readonly callAuthority: string | undefined;
  readonly callTraceParent: string | undefined;
  private readonly target: string;
  private readonly raw: HeaderBag | undefined;

  constructor(draft: Draft, call: CallFacts) {
    const { target } = draft;
    this.target = target;
    this.raw = draft.raw;
    const { path, query } = splitTarget(target);
    this.path = path;
    this.query = query;
    this.method = draft.method;
    this.host = draft.host;
    this.headers = draft.raw ?? draft.mapped ?? NO_FIELDS;
    this.peerCertificate = draft.certificate === '' ? undefined : draft.certificate;
    this.contextExtensions = draft.extensions ?? NO_EXTENSIONS;
    this.callPolicy = call.policy;
    this.callAuthority = call.authority;
    this.callTraceParent = call.traceParent;
  }

  get hasTrueTarget(): boolean {
    const { raw, target } = this;
    if (raw !== undefined && raw.targets > 0 && raw.target !== target) return false;
    return isVisibleAscii(target);
  }

  get requestId(): string | undefined {
    return this.headers.get('x-request-id');
  }

  get rpc(): AuthzRequest['rpc'] {
    return rpcOf(this.headers);
  }
}

/** What is collected while the message is read. */
interface Draft {
  method: string;
  target: string;
  host: string;
  seenHttp: boolean;
  mapped: HeaderBag | undefined;
  raw: HeaderBag | undefined;
  certificate: string | undefined;
  extensions: Map<string, string> | undefined;
}

/**
 * Decodes a CheckRequest. Does not judge the path, the host or any credential.
 *
 * @param bytes the message as it came, untrusted in everything that comes from the client
 * @param call facts of the gRPC call, trusted
 * @returns the request, with the target split into path and query
 * @throws Denial malformed_request: not a CheckRequest, text that is not UTF-8, no method or path, or a registered
 *   method in another case
 */
export function parseRequest(bytes: Buffer, call: CallFacts): AuthzRequest {
  const draft: Draft = {
    method: '',
    target: '',
    host: '',
    seenHttp: false,
    mapped: undefined,
    raw: undefined,
    certificate: undefined,
    extensions: undefined,
  };
  try {
    readCheckRequest(new WireReader(bytes), draft);
  } catch (error) {
    if (error instanceof WireError) throw new Denial('malformed_request');
    throw error;
  }
  return finish(draft, call);
}

function finish(draft: Draft, call: CallFacts): AuthzRequest {
  const { method, target } = draft;
  if (!draft.seenHttp) throw new Denial('malformed_request');
  assertRequestLine(method, target);
  return new DecodedRequest(draft, call);
}

// The tags below are (field number << 3) | wire type, as in proto/ext_authz.proto.

function readCheckRequest(r: WireReader, draft: Draft): void {
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) nested(r, draft, readAttributes);
    else r.skip(tag);
  }
}

function readAttributes(r: WireReader, draft: Draft): void {
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) nested(r, draft, readSource);
    else if (tag === 34) nested(r, draft, readHttpHolder);
    else if (tag === 82) readExtension(r, draft);
    else r.skip(tag);
  }
}

function readSource(r: WireReader, draft: Draft): void {
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 42) draft.certificate = text(r);
    else r.skip(tag);
  }
}

function readHttpHolder(r: WireReader, draft: Draft): void {
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 18) nested(r, draft, readHttp);
    else r.skip(tag);
  }
}

function readHttp(r: WireReader, draft: Draft): void {
  draft.seenHttp = true;
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 26) readHeader(r, (draft.mapped ??= new HeaderBag(r)), MAP_VALUE);
    else if (tag === 18) draft.method = text(r);
    else if (tag === 34) draft.target = text(r);
    else if (tag === 42) draft.host = text(r);
    else if (tag === 106) readHeaderMap(r, (draft.raw ??= new HeaderBag(r)));
    else r.skip(tag);
  }
}

/** Tags of a value: an entry of the map has `value`, one of the list has `raw_value` as well. */
const MAP_VALUE = 18;
const RAW_VALUE = 26;

function readHeader(r: WireReader, headers: HeaderBag, rawTag: number): void {
  const outer = r.enter();
  let name = '';
  let start = 0;
  let end = 0;
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) {
      name = headerName(r);
    } else if (tag === MAP_VALUE || tag === rawTag) {
      r.passOver();
      start = r.spanStart;
      end = r.spanEnd;
    } else {
      r.skip(tag);
    }
  }
  r.leave(outer);
  if (name === '') return;
  // Pseudo headers repeat what the attributes say; nothing is decided on their copies, but the path is held to its own.
  if (name.charCodeAt(0) !== COLON) headers.add(name, start, end);
  else if (name === ':path' && rawTag === RAW_VALUE) headers.addTarget(start, end);
}

function readHeaderMap(r: WireReader, headers: HeaderBag): void {
  const outer = r.enter();
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) readHeader(r, headers, RAW_VALUE);
    else r.skip(tag);
  }
  r.leave(outer);
}

const COLON = 58;
/** What Envoy sends is in lower case already. */
const LOWER_CASE_NAME = /^[\x21-\x40\x5b-\x7e]*$/;

function headerName(r: WireReader): string {
  r.passOver();
  const name = r.oneByteAt(r.spanStart, r.spanEnd);
  return LOWER_CASE_NAME.test(name) ? name : (r.textAt(r.spanStart, r.spanEnd) ?? '\ufffd').toLowerCase();
}

function readExtension(r: WireReader, draft: Draft): void {
  const outer = r.enter();
  let key = '';
  let value = '';
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) key = text(r);
    else if (tag === 18) value = text(r);
    else r.skip(tag);
  }
  r.leave(outer);
  (draft.extensions ??= new Map<string, string>()).set(key, value);
}

function nested(r: WireReader, draft: Draft, read: (r: WireReader, draft: Draft) => void): void {
  const outer = r.enter();
  read(r, draft);
  r.leave(outer);
}

/** Bytes that are not UTF-8 are refused: the upstream could read them in another way than we do. */
function text(r: WireReader): string {
  const value = r.text();
  if (value === undefined) throw new Denial('malformed_request');
  return value;
}
