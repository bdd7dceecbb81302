/**
 * Spellings of a header name that some upstreams read as the same one: CGI and its descendants turn `-`, `_` and `.` into
 * `_`. A client's `x_user_id` would then stand beside, or for, our `x-user-id`.
 */
import type { RequestHeaders } from '../types.js';

/** Names with this prefix are reserved for us. */
const OWN_PREFIX = 'x-portcullis-';

/** The form in which aliases are equal. */
function plainNameOf(name: string): string {
  return name.replace(/[_.]/g, '-');
}

/**
 * The spellings of a name that are always removed: with hyphens, and with underscores.
 *
 * @param name in lower case
 * @returns the name itself first, each once
 */
export function staticAliasesOf(name: string): string[] {
  const plain = plainNameOf(name);
  return [...new Set([name, plain, plain.replaceAll('-', '_')])];
}

/**
 * Creates the search for the other spellings in a request: those that mix hyphens, underscores and dots, and every name
 * that begins with `x-portcullis-`.
 *
 * @param names headers whose aliases must not get through, in lower case
 * @param handled names that need not be reported, since they are set or removed in any case
 */
export function createAliasSearch(
  names: readonly string[],
  handled: ReadonlySet<string>,
): (headers: RequestHeaders) => readonly string[] {
  const plainNames = new Set(names.map(plainNameOf));
  const isAlias = (name: string): boolean => {
    const plain = plainNameOf(name);
    return plain.startsWith(OWN_PREFIX) || plainNames.has(plain);
  };
  return (headers) => {
    let found: string[] | undefined;
    for (const name of headers.names()) {
      if (!mayBeAlias(name) || handled.has(name) || !isAlias(name)) continue;
      (found ??= []).push(name);
    }
    return found ?? NOTHING;
  };
}

const NOTHING: readonly string[] = Object.freeze([]);

/** Rules nearly all names out without building anything: no special character, and no reserved prefix. */
function mayBeAlias(name: string): boolean {
  return name.includes('_') || name.includes('.') || name.startsWith(OWN_PREFIX);
}
