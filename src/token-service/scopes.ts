import { OAuthError } from './oauth-error.js';

/** RFC 6749 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const MAX_LENGTH = 4096;

/**
 * Narrows scopes to those that were asked for.
 *
 * @param requested `scope` of the request, untrusted; undefined: all that may be had
 * @param allowed what may be had at most
 * @throws OAuthError invalid_scope: malformed, or more than is allowed
 * @see RFC 6749 section 3.3
 */
export function narrowScopes(requested: string | undefined, allowed: readonly string[]): readonly string[] {
  if (requested === undefined) return allowed;
  if (requested.length > MAX_LENGTH || !SCOPE.test(requested))
    throw new OAuthError('invalid_scope', 'the scope is malformed');
  const scopes = [...new Set(requested.split(' '))];
  if (!scopes.every((scope) => allowed.includes(scope)))
    throw new OAuthError('invalid_scope', 'a scope was asked for that may not be had');
  return scopes;
}

/** The scopes that stand in each of the lists, in the order of the first. */
export function intersectScopes(
  first: Iterable<string>,
  ...others: readonly (readonly string[])[]
): readonly string[] {
  return [...first].filter((scope) => others.every((list) => list.includes(scope)));
}
