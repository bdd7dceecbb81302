/** Builds the request that is decided on, for fronts that have it as plain values, for `explain` and for the library. */
import { Denial } from './denial.js';
import { isMiscasedMethod } from './method.js';
import type { AuthzRequest, Demands, RequestHeaders } from './types.js';

/** A request in plain values. What the client sent is untrusted; what is said to be trusted must not come from it. */
export interface RequestInput {
  readonly method: string;
  /** Path and query as the client sent them, not normalized. Empty for CONNECT only. */
  readonly target: string;
  /** Host or `:authority` as sent. */
  readonly host: string;
  /** Fields in order. A name may come more than once, in any case. Pseudo headers are left out. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The client's leaf certificate as URL-encoded PEM, from the TLS session itself. Trusted. */
  readonly peerCertificate?: string | undefined;
  /** What the operator says of the route: `portcullis.policy` names its policy. Trusted. */
  readonly contextExtensions?: Readonly<Record<string, string>> | undefined;
  /** The name of a policy that came with the question itself. Trusted. */
  readonly callPolicy?: string | undefined;
  /** The name by which this server was asked, for `server.authorities`. Trusted. */
  readonly callAuthority?: string | undefined;
  /** false: the target is known to differ from what is forwarded. */
  readonly hasTrueTarget?: boolean | undefined;
  /** What the code behind the gate asks for beyond the policy. Trusted. */
  readonly demands?: Demands | undefined;
  /** true: served by something that ignores case and a final slash of paths, or does not decode them. Trusted. */
  readonly hasLooseRouting?: boolean | undefined;
}

/**
 * Builds a request. Does not judge the path, the host or any credential.
 *
 * @throws Denial malformed_request: no method or target, or a registered method in another case
 */
export function createRequest(input: RequestInput): AuthzRequest {
  const { method, target, host } = input;
  assertRequestLine(method, target);
  const headers = createHeaders(input.headers);
  return {
    method,
    ...splitTarget(target),
    hasTrueTarget: input.hasTrueTarget !== false && isVisibleAscii(target),
    host,
    headers,
    requestId: headers.get('x-request-id'),
    peerCertificate: input.peerCertificate,
    contextExtensions: new Map(Object.entries(input.contextExtensions ?? {})),
    callPolicy: input.callPolicy,
    callAuthority: input.callAuthority,
    demands: input.demands,
    hasLooseRouting: input.hasLooseRouting,
    rpc: rpcOf(headers),
  };
}

/** A request of which nothing is known, for answers that come before it was read. */
export const UNKNOWN_REQUEST: AuthzRequest = Object.freeze({
  method: '',
  path: '',
  query: undefined,
  hasTrueTarget: true,
  host: '',
  headers: createHeaders([]),
  requestId: undefined,
  peerCertificate: undefined,
  contextExtensions: new Map<string, string>(),
  callPolicy: undefined,
  callAuthority: undefined,
  rpc: undefined,
});

/** @throws Denial malformed_request: no method or target, or a registered method in another case */
export function assertRequestLine(method: string, target: string): void {
  if (method === '' || isMiscasedMethod(method)) throw new Denial('malformed_request');
  if (target === '' && method !== 'CONNECT') throw new Denial('malformed_request');
}

/** @param target path and query */
export function splitTarget(target: string): Pick<AuthzRequest, 'path' | 'query'> {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: undefined };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

/** All that a URI is made of, and all that a path and query can be compared in. */
export function isVisibleAscii(text: string): boolean {
  return VISIBLE_ASCII.test(text);
}

/** The kind of call, by its headers. `application/grpc;x=1` is not gRPC: proxies take exactly these. */
export function rpcOf(headers: Pick<RequestHeaders, 'get'>): AuthzRequest['rpc'] {
  if (headers.get('connect-protocol-version') !== undefined) return 'connect';
  const contentType = headers.get('content-type');
  if (contentType?.startsWith('application/') !== true) return undefined;
  if (contentType === 'application/grpc' || contentType.startsWith('application/grpc+')) return 'grpc';
  if (contentType.startsWith('application/grpc-web')) return 'grpc-web';
  if (contentType.startsWith('application/connect+')) return 'connect';
  return undefined;
}

function createHeaders(fields: RequestInput['headers']): RequestHeaders {
  const lists = new Map<string, string[]>();
  for (const [field, value] of fields) {
    const name = field.toLowerCase();
    if (name === '' || name.startsWith(':')) continue;
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  return {
    get: (name) => lists.get(name)?.join(','),
    all: (name) => lists.get(name) ?? [],
    names: () => lists.keys(),
    joined: () => new Map([...lists].map(([name, values]) => [name, values.join(',')])),
  };
}
