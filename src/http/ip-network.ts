import ipaddr from 'ipaddr.js';

/** A parsed IP address. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;
/** A base address and how many of its leading bits count. */
export type IpNetwork = readonly [base: IpAddress, bits: number];

/**
 * Parses an address or a network in CIDR notation. Bits beyond the prefix are ignored.
 *
 * @returns undefined where the text is neither
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, base, digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (base === undefined) return undefined;
  // An IPv4-mapped base would change its family, and its prefix its meaning.
  const address = isPlainAddress(base) ? ipaddr.parse(base) : undefined;
  if (address === undefined || (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()))
    return undefined;
  const most = address.kind() === 'ipv4' ? 32 : 128;
  const bits = digits === undefined ? most : Number(digits);
  return bits <= most ? [address, bits] : undefined;
}

/** Is this an IP address in its usual form? ipaddr.js also reads octal, hexadecimal and short forms of IPv4. */
export function isPlainAddress(text: string): boolean {
  if (text.length > 45) return false;
  return text.includes(':') ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** Addresses and networks that were configured. */
export interface AddressSet {
  /** @param address of a socket; an IPv4-mapped one counts as IPv4, and a zone is not read */
  has(address: string): boolean;
}

/** @param texts each taken by parseNetwork(); what it does not take is in no set */
export function createAddressSet(texts: readonly string[]): AddressSet {
  const networks = texts.map(parseNetwork).filter((network) => network !== undefined);
  return {
    has(text) {
      const address = parseSocketAddress(text);
      return address !== undefined && isWithin(address, networks);
    },
  };
}

/** Is the address in one of the networks? */
export function isWithin(address: IpAddress, networks: readonly IpNetwork[]): boolean {
  return networks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}

/** Parses the address of a socket or a hop; IPv4-mapped ones become IPv4. @returns undefined where it is none */
export function parseSocketAddress(text: string): IpAddress | undefined {
  // A zone names an interface of this machine, and is no part of the address.
  const address = text.replace(/%[^%]*$/, '');
  return isPlainAddress(address) ? ipaddr.process(address) : undefined;
}
