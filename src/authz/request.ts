/**
 * CheckRequest bytes → AuthzRequest. Only the fields that decisions read are decoded; the others are skipped without
 * looking. Both forms of the headers are read: the map, in which Envoy has joined equal names with a comma, and
 * `header_map` of encode_raw_headers, where each field stands alone.
 */
import { Denial } from './denial.js';
import type { AuthzRequest, RequestHeaders } from './types.js';
import { WireError, WireReader } from './wire/reader.js';

/** What the gRPC call itself says, beside its message. Trusted: the operator's Envoy sets it. */
export interface CallFacts {
  /** Metadata `portcullis-policy`. */
  readonly policy: string | undefined;
  /** The call's `:authority`. */
  readonly authority: string | undefined;
}

/** Most header fields in one request. Envoy's own default limit is 100. */
const MAX_HEADERS = 1000;

const NO_EXTENSIONS: ReadonlyMap<string, string> = new Map();

/** Headers as a map of lower-case names. One value is kept as it is, several as a list. */
export class HeaderBag implements RequestHeaders {
  private readonly fields = new Map<string, string | string[]>();
  private count = 0;

  /** Adds a field. @throws Denial malformed_request past the bound */
  add(name: string, value: string): void {
    if (++this.count > MAX_HEADERS) throw new Denial('malformed_request');
    const present = this.fields.get(name);
    if (present === undefined) this.fields.set(name, value);
    else if (typeof present === 'string') this.fields.set(name, [present, value]);
    else present.push(value);
  }

  get(name: string): string | undefined {
    const value = this.fields.get(name);
    return typeof value === 'object' ? value.join(',') : value;
  }

  all(name: string): readonly string[] {
    const value = this.fields.get(name);
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }

  names(): Iterable<string> {
    return this.fields.keys();
  }
}

/** What is gathered while the message is read. */
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
 * @param bytes the message as it came, untrusted in all that stems from the client
 * @param call facts of the gRPC call, trusted
 * @returns the request, with the target split into path and query
 * @throws Denial malformed_request: not a CheckRequest, text that is not UTF-8, or no method or path
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
  if (!draft.seenHttp || method === '') throw new Denial('malformed_request');
  if (target === '' && method !== 'CONNECT') throw new Denial('malformed_request');
  const headers = draft.raw ?? draft.mapped ?? new HeaderBag();
  const mark = target.indexOf('?');
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? undefined : target.slice(mark + 1),
    host: draft.host,
    headers,
    requestId: headers.get('x-request-id'),
    peerCertificate: draft.certificate === '' ? undefined : draft.certificate,
    contextExtensions: draft.extensions ?? NO_EXTENSIONS,
    callPolicy: call.policy,
    callAuthority: call.authority,
    rpc:
      headers.get('connect-protocol-version') === undefined ? rpcOf(headers.get('content-type')) : 'connect',
  };
}

/** Envoy takes exactly these as gRPC (`application/grpc;x=1` is not one). */
function rpcOf(contentType: string | undefined): AuthzRequest['rpc'] {
  if (contentType?.startsWith('application/') !== true) return undefined;
  if (contentType === 'application/grpc' || contentType.startsWith('application/grpc+')) return 'grpc';
  if (contentType.startsWith('application/grpc-web')) return 'grpc-web';
  if (contentType.startsWith('application/connect+')) return 'connect';
  return undefined;
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
    if (tag === 26) readMappedHeader(r, (draft.mapped ??= new HeaderBag()));
    else if (tag === 18) draft.method = text(r);
    else if (tag === 34) draft.target = text(r);
    else if (tag === 42) draft.host = text(r);
    else if (tag === 106) readHeaderMap(r, (draft.raw ??= new HeaderBag()));
    else r.skip(tag);
  }
}

function readMappedHeader(r: WireReader, headers: HeaderBag): void {
  const outer = r.enter();
  let name = '';
  let value = '';
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) name = text(r);
    else if (tag === 18) value = headerText(r);
    else r.skip(tag);
  }
  r.leave(outer);
  addHeader(headers, name, value);
}

function readHeaderMap(r: WireReader, headers: HeaderBag): void {
  const outer = r.enter();
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) readHeaderValue(r, headers);
    else r.skip(tag);
  }
  r.leave(outer);
}

function readHeaderValue(r: WireReader, headers: HeaderBag): void {
  const outer = r.enter();
  let name = '';
  let value = '';
  while (r.hasMore()) {
    const tag = r.tag();
    if (tag === 10) name = text(r);
    else if (tag === 18 || tag === 26) value = headerText(r);
    else r.skip(tag);
  }
  r.leave(outer);
  addHeader(headers, name, value);
}

/** Pseudo headers repeat what the attributes say, so they are left out: nothing may be decided on their copies. */
function addHeader(headers: HeaderBag, name: string, value: string): void {
  if (name.charCodeAt(0) === 58 || name === '') return;
  headers.add(lowerCase(name), value);
}

const UPPER = /[A-Z]/;
function lowerCase(name: string): string {
  return UPPER.test(name) ? name.toLowerCase() : name;
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

/** A header value may hold any bytes and be none of our business; U+FFFD makes sure that it equals nothing. */
function headerText(r: WireReader): string {
  return r.text() ?? '\ufffd';
}

/** Bytes that are not UTF-8 are refused outright: whatever we made of them, the upstream would make something else. */
function text(r: WireReader): string {
  const value = r.text();
  if (value === undefined) throw new Denial('malformed_request');
  return value;
}
