/** `host:port` of the configuration → what Node listens on. */

/** A TCP address. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Splits an address that the configuration has checked.
 *
 * @param address `host:port` or `[v6]:port`, trusted
 */
export function listenAddressOf(address: string): ListenAddress {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}
