import { domainToASCII } from 'node:url';
import { formatOrigin, parseHost } from './origins.js';

/** Longer targets cannot be proved; a proof within the size bound cannot name one either. */
const MAX_TARGET_LENGTH = 8192;

/** RFC 3986 appendix B, for an http or https URI with an authority. Query and fragment are cut, not read. */
const HTTP_URI = /^(https?:)\/\/([^/?#]*)([^?#]*)/i;
/** Space, control characters and the backslash, which some parsers read as a slash: in no URI. */
// eslint-disable-next-line no-control-regex
const NOT_IN_A_URI = /[\x00-\x20\x7f\\]/;
/** Segments that are their own normal form: no percent-encoding, nothing beyond ASCII, no dot segments. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@-]*)+$/;
// eslint-disable-next-line no-control-regex
const BEYOND_ASCII = /[^\x00-\x7f]+/g;

/**
 * Does the `htu` of a proof name the target of a request? Both are compared after syntax-based and scheme-based
 * normalisation, without query and fragment, scheme, host, port and path each for itself: the path of a request never
 * becomes part of its host, nor the other way round.
 *
 * @param htu from the proof, untrusted
 * @param origins under which the client may see this service; trusted
 * @param path of the request as the client sent it, without query; untrusted
 * @see RFC 9449 section 4.3, check 9; RFC 3986 sections 6.2.2 and 6.2.3
 */
export function isTarget(htu: string, origins: readonly string[], path: string): boolean {
  const expectedPath = normalizePath(path);
  if (expectedPath === undefined) return false;
  // Most clients send the normal form already, so the texts are compared before they are parsed.
  for (const origin of origins) if (htu === origin + expectedPath) return true;
  const target = normalizeTargetUri(htu);
  return target !== undefined && origins.some((origin) => target === origin + expectedPath);
}

/**
 * Normalises an absolute http or https URI for comparison, and cuts its query and fragment: lower-case scheme and
 * host, no default port, upper-case percent-encoding of reserved characters alone, no dot segments. Names beyond
 * ASCII become their A-labels, as they do in every client. User information is refused.
 *
 * @param uri untrusted
 * @returns undefined where it is not such a URI
 * @see RFC 3986 sections 6.2.2 and 6.2.3
 */
export function normalizeTargetUri(uri: string): string | undefined {
  if (uri.length > MAX_TARGET_LENGTH || NOT_IN_A_URI.test(uri)) return undefined;
  const [, scheme, authority, path] = HTTP_URI.exec(uri) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) return undefined;
  const at = parseHost(asciiAuthority(authority));
  const normalPath = normalizePath(path === '' ? '/' : path);
  if (at === undefined || normalPath === undefined) return undefined;
  return formatOrigin(scheme.toLowerCase() as 'http:' | 'https:', at) + normalPath;
}

/** A-labels for names beyond ASCII, and no empty port (RFC 3986 6.2.3). What is left is for parseHost to judge. */
function asciiAuthority(authority: string): string {
  const trimmed = authority.endsWith(':') ? authority.slice(0, -1) : authority;
  if (trimmed.search(BEYOND_ASCII) < 0) return trimmed;
  const [, name = '', port = ''] = /^([^@:%[\]]{1,254})(:\d+)?$/.exec(trimmed) ?? [];
  // Empty where there is no A-label, and then no host.
  return domainToASCII(name) + port;
}

/**
 * Normalises the path of a URI for comparison: percent-encoding of unreserved characters is decoded, other encoding
 * is in upper case, characters beyond ASCII are encoded, dot segments are resolved. Empty segments and a final slash
 * stay. Says nothing about how an upstream reads that path.
 *
 * @param path untrusted, without query
 * @returns undefined where it is not the path of an http URI: no slash in front, bad percent-encoding, control
 *   characters, backslashes
 * @see RFC 3986 section 6.2.2
 */
export function normalizePath(path: string): string | undefined {
  if (PLAIN_PATH.test(path)) return path;
  if (!path.startsWith('/') || path.length > MAX_TARGET_LENGTH || NOT_IN_A_URI.test(path)) return undefined;
  const encoded = normalizeEncoding(path);
  return encoded === undefined ? undefined : removeDotSegments(encoded);
}

function normalizeEncoding(path: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(path) || /[\uD800-\uDFFF]/u.test(path)) return undefined;
  return path.replace(BEYOND_ASCII, encodeURIComponent).replace(/%[0-9a-f]{2}/gi, normalizeOctet);
}

function normalizeOctet(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
}

/** RFC 3986 5.2.4 for a path that begins with a slash. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1);
  if (last === '.' || last === '..') kept.push('');
  return `/${kept.join('/')}`;
}
