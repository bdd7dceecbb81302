import { isIPv4, isIPv6 } from 'node:net';

/** Where a port is opened. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Where the ports are that the file says nothing of; undefined: not opened. */
export const DEFAULT_ADDRESSES = {
  grpc: '127.0.0.1:9191',
  admin: '127.0.0.1:9192',
  public: undefined,
} as const;

const HOST_AND_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;
/** `sun_path` of Linux holds 108 bytes with its final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Parses `host:port` or `unix:/path`. Does not resolve the host, nor ask whether the address can be opened.
 *
 * @param text from the configuration file; an IPv6 address stands in brackets, port 0 lets the system choose
 * @returns the address; undefined where it is none
 */
export function parseAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return parseSocketPath(text);
  const [, bracketed, plain, digits] = HOST_AND_PORT.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  // A name of digits and dots alone is a mistyped IPv4 address, which some resolvers would still read somehow.
  if (plain !== undefined && /^[\d.]+$/.test(plain) && !isIPv4(plain)) return undefined;
  return { kind: 'tcp', host, port };
}

/** Three slashes (`unix:///path`) and one mean the same, as in gRPC's naming. */
function parseSocketPath(text: string): ListenAddress | undefined {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (!path.startsWith('/') || path.startsWith('//') || path.endsWith('/')) return undefined;
  if (path.includes('\0') || Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) return undefined;
  return { kind: 'unix', path };
}

/**
 * Would the second address collide with the first? A wildcard host takes its port on every address.
 *
 * @returns false where either port is 0, since the system then chooses free ones
 */
export function addressesCollide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix')
    return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  if (a.port === 0 || a.port !== b.port) return false;
  return isWildcard(a.host) || isWildcard(b.host) || sameHost(a.host, b.host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function sameHost(a: string, b: string): boolean {
  const canonical = (host: string): string =>
    host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase();
  return canonical(a) === canonical(b);
}
