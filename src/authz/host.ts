/** Hosts in the form in which they are compared: without case, port and final dot. */

const LABELS = '[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*';
const PLAIN = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
/** Only ASCII is lower-cased: lower-casing turns the Kelvin sign into a `k`. */
const NAME = new RegExp(`^(${LABELS})\\.?(?::\\d{0,5})?$`);
const IP_LITERAL = /^(\[[0-9A-Fa-f:.]{2,45}\])(?::\d{0,5})?$/;
/** RFC 1035 2.3.4, and room for a port. */
const MAX_LENGTH = 261;

/**
 * Brings a host to the form in which hosts are compared. Does not check that it exists, nor that an address in
 * brackets is one.
 *
 * @param host as in Host or `:authority`, untrusted: case, port and a final dot may be there
 * @returns lower-case name or bracketed address; undefined where it is not a host, such as two joined by a comma
 * @see RFC 9110 section 7.2, RFC 3986 section 3.2.2
 */
export function normalizeHost(host: string): string | undefined {
  if (host.length > MAX_LENGTH) return undefined;
  if (PLAIN.test(host)) return host;
  const match = NAME.exec(host) ?? IP_LITERAL.exec(host);
  return match?.[1]?.toLowerCase();
}

const PORT = /:\d{1,5}$/;

/**
 * The key under which gRPC authorities are compared: without case and final dot.
 *
 * @param authority of the configuration, or `:authority` of a Check, which is untrusted
 * @param options with its port, or without it: a configured authority without port stands for every port
 */
export function authorityKey(authority: string, { withPort }: { readonly withPort: boolean }): string {
  const host = normalizeHost(authority) ?? authority.toLowerCase();
  return withPort ? host + (PORT.exec(authority)?.[0] ?? '') : host;
}

/** A pattern in the `hosts` of a route. */
export type HostPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly host: string }
  /** `host` is what follows the `*`, with its leading dot. */
  | { readonly kind: 'suffix'; readonly host: string };

/**
 * Parses a host of a route: a name, `*.name` (any name below it, at any depth, never the name itself) or `*`.
 *
 * @param text from the configuration
 * @returns undefined where it is none of these
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') return { kind: 'any' };
  const below = text.startsWith('*.');
  const host = normalizeHost(below ? text.slice(2) : text);
  if (host === undefined) return undefined;
  return below ? { kind: 'suffix', host: `.${host}` } : { kind: 'exact', host };
}
