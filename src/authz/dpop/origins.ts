import { isIPv4, isIPv6 } from 'node:net';
import { Denial } from '../denial.js';

/** A host and port as RFC 3986 writes them, in normal form. */
export interface HostAndPort {
  /** Lower case; an IPv6 address in its brackets and shortest form; a final dot stays. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * The origins under which clients may see this service, for a request with this Host.
 *
 * @param host the request's Host as sent, untrusted
 * @returns origins in normal form; empty: the host is not one of the configured ones
 * @throws Denial invalid_host
 */
export type OriginsOfHost = (host: string) => readonly string[];

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const;

/** Characters of DNS names, and of the names that people give to containers. Empty labels are not allowed. */
const NAME = /^[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?$/;
const PORT = /^[1-9][0-9]{0,4}$/;
/** RFC 1035 2.3.4 with its final dot; an address is shorter. */
const MAX_NAME_LENGTH = 254;
const MAX_AUTHORITY_LENGTH = MAX_NAME_LENGTH + ':65535'.length;

/**
 * Reads a Host field or the authority of a URI: a name or an address, and a port. User information, empty and
 * impossible ports, commas and anything that would shift the boundary between host and path are refused.
 *
 * @param text untrusted
 * @returns undefined where it is not a host
 * @see RFC 9110 section 7.2, RFC 3986 section 3.2.2
 */
export function parseHost(text: string): HostAndPort | undefined {
  if (text.length > MAX_AUTHORITY_LENGTH) return undefined;
  const lower = text.toLowerCase();
  const portAt = lower.indexOf(':', lower.lastIndexOf(']') + 1);
  const host = parseHostName(portAt < 0 ? lower : lower.slice(0, portAt));
  if (host === undefined) return undefined;
  if (portAt < 0) return { host, port: undefined };
  const port = parsePort(lower.slice(portAt + 1));
  return port === undefined ? undefined : { host, port };
}

function parseHostName(name: string): string | undefined {
  if (name.startsWith('[')) return parseIPv6(name);
  return name.length <= MAX_NAME_LENGTH && NAME.test(name) ? name : undefined;
}

function parseIPv6(name: string): string | undefined {
  const address = name.slice(1, -1);
  // A zone is no part of a URI's host, and node:net takes one.
  if (!name.endsWith(']') || address.includes('%') || !isIPv6(address)) return undefined;
  return new URL(`http://${name}`).hostname;
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return PORT.test(text) && port <= 65_535 ? port : undefined;
}

/**
 * Reads an origin of the configuration: scheme http or https, host and port, followed by at most one slash.
 *
 * @param text from the configuration
 * @returns the origin in normal form, or undefined where it is not one
 * @see RFC 6454 section 6
 */
export function parseOrigin(text: string): string | undefined {
  const [, scheme, authority] = /^(https?:)\/\/([^/]+)\/?$/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return undefined;
  const at = parseHost(authority);
  return at && formatOrigin(scheme.toLowerCase() as 'http:' | 'https:', at);
}

/** @returns the origin with its port left out where it is the scheme's own (RFC 3986 6.2.3) */
export function formatOrigin(scheme: 'http:' | 'https:', at: HostAndPort): string {
  const port = at.port === undefined || at.port === DEFAULT_PORTS[scheme] ? '' : `:${at.port}`;
  return `${scheme}//${at.host}${port}`;
}

/**
 * Creates the lookup of the origins that a request with some Host may have been sent to. A Host with a port must
 * name the port of a configured origin; one without gets those with their scheme's own port, or, where there are
 * none, all of that name: proxies drop ports. Only Host counts, because the client chooses everything else.
 *
 * Without configured origins it is https and the Host, and http for loopback hosts.
 *
 * @param configured `dpop.origins`, each taken by parseOrigin; undefined or empty: the default
 * @throws TypeError where one is not an origin
 * @see RFC 9449 section 4.3, check 9
 */
export function createOriginsOfHost(configured: readonly string[] | undefined): OriginsOfHost {
  if (configured === undefined || configured.length === 0) return defaultOrigins;
  const byHost = indexOrigins(configured);
  return (host) => byHost.get(host) ?? byHost.get(hostKey(assertHost(host))) ?? [];
}

function defaultOrigins(host: string): readonly string[] {
  const at = assertHost(host);
  return [formatOrigin(isLoopback(at.host) ? 'http:' : 'https:', at)];
}

function assertHost(host: string): HostAndPort {
  const at = parseHost(host);
  if (at === undefined) throw new Denial('invalid_host');
  return at;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (host.startsWith('127.') && isIPv4(host));
}

function hostKey({ host, port }: HostAndPort): string {
  return port === undefined ? host : `${host}:${port}`;
}

/** Every way in which a Host may name a configured origin, so that a request costs one lookup. */
function indexOrigins(configured: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const withPort = new Map<string, string[]>();
  const ownPort = new Map<string, string[]>();
  const anyPort = new Map<string, string[]>();
  for (const text of configured) {
    const origin = parseOrigin(text);
    if (origin === undefined) throw new TypeError(`${text} is not an origin`);
    const { scheme, at } = splitOrigin(origin);
    const port = at.port ?? DEFAULT_PORTS[scheme];
    add(withPort, `${at.host}:${port}`, origin);
    add(anyPort, at.host, origin);
    if (at.port === undefined) add(ownPort, at.host, origin);
  }
  return new Map([...anyPort, ...ownPort, ...withPort]);
}

function splitOrigin(origin: string): { scheme: 'http:' | 'https:'; at: HostAndPort } {
  const scheme = origin.startsWith('https:') ? 'https:' : 'http:';
  return { scheme, at: parseHost(origin.slice(scheme.length + 2)) as HostAndPort };
}

function add(map: Map<string, string[]>, key: string, origin: string): void {
  const origins = map.get(key) ?? [];
  if (!origins.includes(origin)) origins.push(origin);
  map.set(key, origins);
}
