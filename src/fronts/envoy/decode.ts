/**
 * CheckRequest bytes → AuthzRequest. Only the fields that decisions read are decoded; the others are skipped without
 * looking. Both forms of the headers are read: the map, in which Envoy has joined equal names with a comma, and
 * `header_map` of encode_raw_headers, where each field stands alone.
 */
import { Denial } from '../../authz/denial.js';
import { isMiscasedMethod } from '../../authz/method.js';
import type { AuthzRequest, RequestHeaders } from '../../authz/types.js';
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

/**
 * Headers by lower-case name. A request has a score of them, and a decision looks at two or three: names are compared
 * one by one, and values stay bytes until somebody asks.
 */
class HeaderBag implements RequestHeaders {
  private readonly fieldNames: string[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  /** `:path` as it came, a character for each byte; undefined: not there, or there twice. */
  target: string | undefined;
  targets = 0;

  constructor(private readonly message: WireReader) {}

  /** Notes a `:path`, which is no header but the only place that has its true bytes. */
  addTarget(start: number, end: number): void {
    this.target = this.targets++ === 0 ? this.message.oneByteAt(start, end) : undefined;
  }

  /** Adds a field by the place of its value in the message. @throws Denial malformed_request past the bound */
  add(name: string, start: number, end: number): void {
    if (this.fieldNames.length >= MAX_HEADERS) throw new Denial('malformed_request');
    this.fieldNames.push(name);
    this.starts.push(start);
    this.ends.push(end);
  }

  get(name: string): string | undefined {
    let found: string | undefined;
    for (
      let index = this.fieldNames.indexOf(name);
      index >= 0;
      index = this.fieldNames.indexOf(name, index + 1)
    ) {
      const value = this.valueAt(index);
      found = found === undefined ? value : `${found},${value}`;
    }
    return found;
  }

  all(name: string): readonly string[] {
    let index = this.fieldNames.indexOf(name);
    if (index < 0) return NO_VALUES;
    const values: string[] = [];
    for (; index >= 0; index = this.fieldNames.indexOf(name, index + 1)) values.push(this.valueAt(index));
    return values;
  }

  names(): Iterable<string> {
    return this.fieldNames;
  }

  joined(): ReadonlyMap<string, string> {
    const all = new Map<string, string>();
    this.fieldNames.forEach((name, index) => {
      const before = all.get(name);
      const value = this.valueAt(index);
      all.set(name, before === undefined ? value : `${before},${value}`);
    });
    return all;
  }

  /** A value may hold any bytes and be none of our business; U+FFFD makes sure that it equals nothing. */
  private valueAt(index: number): string {
    return this.message.textAt(this.starts[index] as number, this.ends[index] as number) ?? '\ufffd';
  }
}

const NO_VALUES: readonly string[] = Object.freeze([]);
const NO_FIELDS: RequestHeaders = {
  get: () => undefined,
  all: () => NO_VALUES,
  names: () => NO_VALUES,
  joined: () => new Map(),
};

/** All that a URI is made of, and all that a path and query can be compared in. */
const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

/** What few decisions ask for is worked out when they do. */
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
  private readonly target: string;
  private readonly raw: HeaderBag | undefined;

  constructor(draft: Draft, call: CallFacts) {
    const { target } = draft;
    this.target = target;
    this.raw = draft.raw;
    const mark = target.indexOf('?');
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? undefined : target.slice(mark + 1);
    this.method = draft.method;
    this.host = draft.host;
    this.headers = draft.raw ?? draft.mapped ?? NO_FIELDS;
    this.peerCertificate = draft.certificate === '' ? undefined : draft.certificate;
    this.contextExtensions = draft.extensions ?? NO_EXTENSIONS;
    this.callPolicy = call.policy;
    this.callAuthority = call.authority;
  }

  get hasTrueTarget(): boolean {
    const { raw, target } = this;
    if (raw !== undefined && raw.targets > 0 && raw.target !== target) return false;
    return VISIBLE_ASCII.test(target);
  }

  get requestId(): string | undefined {
    return this.headers.get('x-request-id');
  }

  get rpc(): AuthzRequest['rpc'] {
    return this.headers.get('connect-protocol-version') === undefined
      ? rpcOf(this.headers.get('content-type'))
      : 'connect';
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
  if (!draft.seenHttp || method === '') throw new Denial('malformed_request');
  if (target === '' && method !== 'CONNECT') throw new Denial('malformed_request');
  if (isMiscasedMethod(method)) throw new Denial('malformed_request');
  return new DecodedRequest(draft, call);
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

/** Bytes that are not UTF-8 are refused outright: whatever we made of them, the upstream would make something else. */
function text(r: WireReader): string {
  const value = r.text();
  if (value === undefined) throw new Denial('malformed_request');
  return value;
}
