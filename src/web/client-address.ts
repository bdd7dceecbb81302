/**
 * Whose request is it? For rate limits and the log of the HTTP ports; never a reason to trust somebody.
 */
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import {
  isWithin,
  parseNetwork,
  parseSocketAddress,
  type IpAddress,
  type IpNetwork,
} from '../http/ip-network.js';

/** The name under which the middleware leaves the address in the context. */
const VARIABLE = 'clientAddress';
/** Where no socket is behind the request, as in tests. All such requests count as one client. */
const UNKNOWN = 'unknown';
/** A proxy chain is short. What stands further left is not read. */
const MAX_HOPS = 32;
/** Bits of an IPv6 address that one customer usually holds as a whole. */
const IPV6_SITE_BITS = 64;

/**
 * Creates the middleware that finds the client's address: the socket's, or the right-most hop of `X-Forwarded-For` that is
 * not a trusted proxy, where the socket's is one. What stands left of that hop was written by the client and is not read.
 *
 * @param trustedProxies addresses and networks (CIDR) as they are configured now; empty: the header is never read
 */
export function findClientAddress(trustedProxies: () => readonly string[]): MiddlewareHandler {
  let known: readonly string[] | undefined;
  let networks: readonly IpNetwork[] = [];
  return async (c, next) => {
    const configured = trustedProxies();
    if (configured !== known) {
      known = configured;
      networks = configured.map(parseNetwork).filter((network) => network !== undefined);
    }
    c.set(VARIABLE, resolve(socketAddressOf(c), c.req.header('x-forwarded-for'), networks));
    return next();
  };
}

/**
 * The client's address, as the middleware found it; without the middleware, the socket's.
 *
 * @returns an IP address in its canonical form, IPv4-mapped ones as IPv4; `unknown` where there is none
 */
export function clientAddressOf(c: Context): string {
  const found: unknown = c.get(VARIABLE);
  return typeof found === 'string' ? found : resolve(socketAddressOf(c), undefined, []);
}

/**
 * The key that an address counts under in a rate limit: the address itself, and for IPv6 its /64, since one client has
 * all of it.
 *
 * @param address as clientAddressOf() returns it
 */
export function rateLimitKeyOf(address: string): string {
  const parsed = parseSocketAddress(address);
  if (parsed === undefined) return UNKNOWN;
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_SITE_BITS}`).toString()}/${IPV6_SITE_BITS}`;
}

function socketAddressOf(c: Context): string | undefined {
  try {
    return getConnInfo(c).remote.address;
  } catch {
    return undefined;
  }
}

function resolve(
  socket: string | undefined,
  forwarded: string | undefined,
  networks: readonly IpNetwork[],
): string {
  let nearest = socket === undefined ? undefined : parseSocketAddress(socket);
  if (nearest === undefined) return UNKNOWN;
  if (forwarded === undefined) return nearest.toString();
  const hops = forwarded.split(',').slice(-MAX_HOPS);
  while (isWithin(nearest, networks)) {
    const hop = hops.pop();
    const address: IpAddress | undefined = hop === undefined ? undefined : parseHop(hop.trim());
    // Where a trusted proxy names no client, its own address is the nearest that is known.
    if (address === undefined) break;
    nearest = address;
  }
  return nearest.toString();
}

/** `1.2.3.4`, `2001:db8::1`, and with a port, as some gateways write it. */
function parseHop(hop: string): IpAddress | undefined {
  const [, bracketed, withPort] =
    /^(?:\[([^\]]{1,45})\](?::\d{1,5})?|([\d.]{7,15}):\d{1,5})$/.exec(hop) ?? [];
  return parseSocketAddress(bracketed ?? withPort ?? hop);
}
