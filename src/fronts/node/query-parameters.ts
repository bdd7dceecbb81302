/**
 * Takes parameters out of a target or URL. The rest stays byte for byte. A name counts however it is percent-encoded.
 *
 * @param target ends in the query, or in a fragment
 */
export function withoutParameters(target: string, names: readonly string[]): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => !names.includes(nameOf(pair)));
  return target.slice(0, mark) + (kept.length === 0 ? '' : `?${kept.join('&')}`);
}

function nameOf(pair: string): string {
  const name = pair.split('=', 1)[0]?.replaceAll('+', ' ') ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
