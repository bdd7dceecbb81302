/**
 * Takes query parameters out by their exact names, as Envoy does; unlike Envoy it leaves the others as they are. Odd
 * spellings of token parameters were refused before.
 *
 * @param path as the client sent it
 * @param query without `?`; undefined: there is none
 * @returns path and query for the upstream
 */
export function withoutParameters(path: string, query: string | undefined, names: readonly string[]): string {
  if (query === undefined) return path;
  const kept = query.split('&').filter((pair) => !names.includes(pair.split('=', 1)[0] as string));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}
