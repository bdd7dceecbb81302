/**
 * Which addresses may be connected to. An issuer's URL comes from the operator, but `jwks_uri` comes from the issuer,
 * and what a name resolves to comes from DNS. Private ranges stay open: issuers live inside clusters too.
 */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Why an address is refused. */
export type ForbiddenAddressReason =
  'invalid' | 'unspecified' | 'link_local' | 'metadata' | 'multicast' | 'reserved' | 'transition';

/** [range, reason]: the first that holds an address decides. */
const FORBIDDEN: readonly (readonly [range: readonly [Address, number], reason: ForbiddenAddressReason])[] = (
  [
    ['0.0.0.0/8', 'unspecified'],
    ['169.254.0.0/16', 'link_local'],
    // Metadata services that are not link-local: Alibaba, Oracle, Azure's wire server.
    ['100.100.100.200/32', 'metadata'],
    ['192.0.0.192/32', 'metadata'],
    ['168.63.129.16/32', 'metadata'],
    ['224.0.0.0/4', 'multicast'],
    // Holds the limited broadcast address.
    ['240.0.0.0/4', 'reserved'],
    ['::/128', 'unspecified'],
    ['fe80::/10', 'link_local'],
    ['fec0::/10', 'link_local'],
    // AWS (metadata, pod identity, time, DNS) and Google Cloud.
    ['fd00:ec2::/32', 'metadata'],
    ['fd20:ce::254/128', 'metadata'],
    ['ff00::/8', 'multicast'],
    // Which IPv4 address these reach depends on a network that cannot be seen from here.
    ['64:ff9b:1::/48', 'transition'],
    ['2001::/32', 'transition'],
  ] as const
).map(([range, reason]) => [ipaddr.parseCIDR(range), reason]);

/** IPv6 ranges that stand for an IPv4 address, and the 16-bit group in which it begins. */
const EMBEDDING: readonly (readonly [range: readonly [Address, number], group: number])[] = (
  [
    ['::ffff:0:0/96', 6],
    ['::ffff:0:0:0/96', 6],
    ['64:ff9b::/96', 6],
    ['::/96', 6],
    ['2002::/16', 1],
  ] as const
).map(([range, group]) => [ipaddr.parseCIDR(range), group]);

const LOOPBACK_V4 = ipaddr.parseCIDR('127.0.0.0/8');
const LOOPBACK_V6 = ipaddr.parseCIDR('::1/128');

/**
 * Says why an address must not be connected to. IPv4-mapped, IPv4-compatible, translated, NAT64 and 6to4 forms are
 * judged by the IPv4 address in them. Does not resolve names.
 *
 * @param address an IP address as text, untrusted
 * @returns the reason, or undefined where connecting is fine
 */
export function forbiddenAddressReason(address: string): ForbiddenAddressReason | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return 'invalid';
  return reasonFor(parsed);
}

/**
 * Is this a loopback address, in its plain form? `::ffff:127.0.0.1` is not: no issuer is configured like that.
 *
 * @param address an IP address as text, untrusted
 */
export function isLoopbackAddress(address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && (contains(LOOPBACK_V4, parsed) || contains(LOOPBACK_V6, parsed));
}

/**
 * Does a URL's host name the loopback, by name or address? That a name resolves to the loopback is for the caller.
 *
 * @param hostname as `URL.hostname` gives it, IPv6 in brackets or not
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || isLoopbackAddress(withoutBrackets(hostname));
}

/**
 * Takes the brackets off an IPv6 host.
 *
 * @param hostname as `URL.hostname` gives it
 */
export function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}

function parseAddress(address: string): Address | undefined {
  // ipaddr.js also reads octal, hexadecimal and short IPv4 forms; sockets and URLs hand out the four-part form only.
  if (!address.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(address)) return undefined;
  return ipaddr.isValid(address) ? ipaddr.parse(address) : undefined;
}

function reasonFor(address: Address): ForbiddenAddressReason | undefined {
  const found = FORBIDDEN.find(([range]) => contains(range, address));
  if (found !== undefined) return found[1];
  if (address.kind() === 'ipv4' || contains(LOOPBACK_V6, address)) return undefined;
  const embedded = embeddedIPv4(address as ipaddr.IPv6);
  return embedded === undefined ? undefined : reasonFor(embedded);
}

function embeddedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const group = EMBEDDING.find(([range]) => contains(range, address))?.[1];
  if (group === undefined) return undefined;
  return new ipaddr.IPv4(address.toByteArray().slice(group * 2, group * 2 + 4));
}

function contains([base, bits]: readonly [Address, number], address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}
