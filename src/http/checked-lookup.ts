import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { forbiddenAddressReason, isLoopbackAddress } from './address-rules.js';
import { HttpError } from './http-error.js';

/** Resolves a name to all its addresses. */
export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>;

/** The resolver of the machine. */
export const systemResolveHost: ResolveHost = (hostname) =>
  systemLookup(hostname, { all: true, verbatim: true });

/**
 * Makes the `lookup` of a connection. Forbidden addresses are left out, and the socket connects to one of those that
 * are handed back and to no other: a name that resolves differently the next time has no effect. Not asked for
 * literal addresses: those are checked in the URL.
 *
 * @param resolveHost the resolver; its answers are untrusted
 * @returns a lookup for `net.connect` that fails with HttpError `forbidden_address` when no address is left
 */
export function createCheckedLookup(resolveHost: ResolveHost): LookupFunction {
  return (hostname, options, callback) => {
    resolveHost(hostname).then(
      (addresses) => answer(permitted(hostname, addresses), { hostname, options, callback }),
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    );
  };
}

/** `localhost` must be the loopback: it is the one name that may be contacted without TLS. */
function permitted(hostname: string, addresses: readonly LookupAddress[]): LookupAddress[] {
  return addresses.filter(
    ({ address }) =>
      forbiddenAddressReason(address) === undefined &&
      (hostname !== 'localhost' || isLoopbackAddress(address)),
  );
}

interface Question {
  readonly hostname: string;
  readonly options: LookupOptions;
  readonly callback: Parameters<LookupFunction>[2];
}

function answer(addresses: LookupAddress[], { hostname, options, callback }: Question): void {
  const family = familyOf(options);
  const fitting = addresses.filter((address) => family === 0 || address.family === family);
  const first = fitting[0];
  if (first === undefined) {
    callback(new HttpError('forbidden_address', `${hostname} has no address that may be connected to`), []);
  } else if (options.all === true) {
    callback(null, fitting);
  } else {
    callback(null, first.address, first.family);
  }
}

function familyOf({ family }: LookupOptions): number {
  if (family === 'IPv4') return 4;
  if (family === 'IPv6') return 6;
  return family ?? 0;
}
