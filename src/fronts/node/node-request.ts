/** Reads the request of a server that is built on node:http or node:http2. */
import { Denial } from '../../authz/denial.js';
import type { GateRequest } from './front.js';

/** What is read of a request: an IncomingMessage, or a Http2ServerRequest. All of it is the client's. */
export interface NodeRequest {
  readonly method?: string | undefined;
  url?: string | undefined;
  /** As frameworks keep it beside what is left of it. */
  originalUrl?: string;
  rawHeaders: string[];
  headers: Record<string, string | string[] | undefined>;
  readonly socket?: object | null | undefined;
}

/** How the server in front of the handler treats a request. Trusted. */
export interface NodeFacts {
  /** Path and query as the client sent them, before a router cut off its own part. */
  readonly target: string;
  /** false: the handler is given another target than the client's. */
  readonly hasTrueTarget?: boolean | undefined;
  readonly hasLooseRouting: boolean;
}

const MAX_TARGET_LENGTH = 65_536;

/**
 * Reads a request. Every field is taken as it came, so that nothing that was sent twice is lost. Headers of proxies, such as
 * `X-Forwarded-Host`, are never read: the origins under which clients see the service are `dpop.origins`.
 *
 * @throws Denial malformed_request where there is no host or several, or where the target is an absolute URI
 */
export function readNodeRequest(
  request: Pick<NodeRequest, 'method' | 'rawHeaders' | 'socket'>,
  { target, hasTrueTarget, hasLooseRouting }: NodeFacts,
): GateRequest {
  if (target.length > MAX_TARGET_LENGTH) throw new Denial('message_too_large');
  // In absolute form the target names a host of its own (RFC 9112 3.2.2), and handlers disagree about which one counts.
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) throw new Denial('malformed_request');
  const headers = fieldsOf(request.rawHeaders);
  return {
    method: request.method ?? '',
    target,
    host: hostOf(headers),
    headers,
    peerCertificate: peerCertificateOf(request.socket),
    hasTrueTarget,
    hasLooseRouting,
  };
}

function fieldsOf(rawHeaders: readonly string[]): (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    fields.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  return fields;
}

/** `:authority` is HTTP/2's host; beside it, `host` must say the same (RFC 9113 8.3.1). */
function hostOf(fields: readonly (readonly [name: string, value: string])[]): string {
  const named = fields.filter(([name]) => name.toLowerCase() === 'host' || name === ':authority');
  const hosts = new Set(named.map(([, value]) => value));
  const [host] = hosts;
  const isTwice = named.filter(([name]) => name !== ':authority').length > 1;
  if (host === undefined || hosts.size > 1 || isTwice) throw new Denial('malformed_request');
  return host;
}

/** A TLS socket, as far as it is asked. */
interface TlsSocket {
  getPeerCertificate?: () => { readonly raw?: Uint8Array } | null | undefined;
}

const encoded = new WeakMap<object, string | undefined>();

/** @returns the client's leaf certificate as URL-encoded PEM; undefined: none was shown. The handshake has proved its key. */
function peerCertificateOf(socket: object | null | undefined): string | undefined {
  if (socket === null || socket === undefined) return undefined;
  if (typeof (socket as TlsSocket).getPeerCertificate !== 'function') return undefined;
  if (encoded.has(socket)) return encoded.get(socket);
  const raw = (socket as TlsSocket).getPeerCertificate?.()?.raw;
  const pem = raw === undefined ? undefined : pemOf(raw);
  encoded.set(socket, pem);
  return pem;
}

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return encodeURIComponent(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
}
