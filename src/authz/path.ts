/**
 * The one reading of a path. A path that two servers could read differently is refused, so that what is judged here
 * is what the upstream serves; what is left is percent-decoded once, and compared with case.
 *
 * Decided where the contract is silent: any percent-encoded control character and `%3b` are refused like the forms
 * it lists, and so are encoded bytes that are not UTF-8 and raw characters that no URI holds. `%25` is a percent
 * sign and nothing more: `%252e` is the text `%2e`, never a dot.
 */
import { Denial } from './denial.js';

/** Nothing in it needs a second look: no percent sign, no segment that begins with a dot. Linear: `/` parts the runs. */
const PLAIN = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)*\/?$/;

/** Raw characters that no URI path holds, or that parsers disagree about. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const RAW = /[\u0000-\u0020\u007f-\uffff\\;#?]|\/\//;
/** A percent sign that encodes nothing, or that encodes a control character, `.`, `/`, `;` or `\`. */
const ENCODED = /%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-Fa-f]|2[EeFf]|3[Bb]|5[Cc]|7[Ff])/;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;

const AMBIGUOUS = new Denial('ambiguous_path');

/**
 * Refuses a path that two servers could read differently. Knows nothing of routes; a trailing slash is significant,
 * and stays.
 *
 * @param path as the client sent it, without query; untrusted
 * @throws Denial ambiguous_path
 * @see RFC 3986 sections 3.3, 5.2.4 and 6.2.2
 */
export function assertUnambiguousPath(path: string): void {
  if (isAmbiguousPath(path)) throw AMBIGUOUS;
}

/**
 * Refuses a request whose path and query, as they were reported, may not be what Envoy forwards.
 *
 * @throws Denial ambiguous_path
 */
export function assertTrueTarget({ hasTrueTarget }: { readonly hasTrueTarget: boolean }): void {
  if (!hasTrueTarget) throw AMBIGUOUS;
}

/** @returns true where two servers could read this path differently */
export function isAmbiguousPath(path: string): boolean {
  if (path.charCodeAt(0) !== 47) return true;
  if (PLAIN.test(path)) return false;
  return RAW.test(path) || ENCODED.test(path) || DOT_SEGMENT.test(path) || decodeOnce(path) === undefined;
}

/**
 * The form in which paths are compared: percent-decoded once. Since no encoded slash gets here, the segments of the
 * result are the decoded segments of the path.
 *
 * @param path for which assertUnambiguousPath() did not throw
 * @returns the path that an upstream resolves
 */
export function normalPathOf(path: string): string {
  return decodeOnce(path) ?? path;
}

function decodeOnce(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
