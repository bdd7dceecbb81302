/**
 * Token parameters of the query. Envoy removes a parameter by its exact name only, and upstreams read far more
 * spellings as the same one, so a spelling that is not exact is refused: the token must not travel on unseen.
 */
import { Denial } from './denial.js';

const AMBIGUOUS = new Denial('ambiguous_token_parameter');
/** `%25255F` and its like: nobody decodes more often. */
const MAX_DECODINGS = 3;

/**
 * The values of a parameter, as they were sent.
 *
 * @param query without `?`, untrusted
 * @param name compared exactly
 */
export function queryValues(query: string | undefined, name: string): string[] {
  if (query?.includes(name) !== true) return [];
  const values: string[] = [];
  for (const parameter of query.split('&')) {
    if (parameter.startsWith(name) && parameter[name.length] === '=')
      values.push(parameter.slice(name.length + 1));
  }
  return values;
}

/** @returns true where Envoy would find this parameter by its exact name, with a value or without */
export function hasParameter(query: string | undefined, name: string): boolean {
  if (query?.includes(name) !== true) return false;
  return query.split('&').some((parameter) => rawNameOf(parameter) === name);
}

/**
 * Decodes the value of a token parameter. A raw `+` is a space to some and a plus sign to others, so it is nothing.
 *
 * @param value untrusted
 * @returns undefined where it can not be decoded in one way
 */
export function decodeQueryValue(value: string): string | undefined {
  if (value.includes('+')) return undefined;
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/**
 * Makes a check of the spelling of token parameters. It is meant for every request, those of anonymous policies too:
 * a token that is spelled oddly would reach the upstream and its logs.
 *
 * @param names parameters that hold credentials, from the configuration
 * @returns a function that throws Denial ambiguous_token_parameter; it takes the query, untrusted
 */
export function createSpellingCheck(names: readonly string[]): (query: string | undefined) => void {
  const exact = new Set(names);
  const shapes = new Set(names.map(shapeOf));
  return (query) => {
    if (query === undefined || query === '' || shapes.size === 0) return;
    for (const parameter of query.split('&')) {
      const parts = parameter.split(';');
      for (let i = 0; i < parts.length; i++) {
        const name = rawNameOf(parts[i] ?? '');
        if (i === 0 && exact.has(name)) continue;
        if (shapes.has(shapeOf(name))) throw AMBIGUOUS;
      }
    }
  };
}

function rawNameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals < 0 ? parameter : parameter.slice(0, equals);
}

// eslint-disable-next-line no-control-regex -- some servers cut names at them
const EDGES = /^[\u0000-\u0020+?]+|[\u0000-\u0020+]+$/g;

// eslint-disable-next-line no-control-regex -- NUL is where C ends a text
const CUT = /[[=\u0000]/;

/**
 * What the laziest of servers would make of a name: decoded, without case, `.` and space as `_` (PHP), cut at `[`
 * (arrays), `=` and NUL, a second `?` taken off.
 */
function shapeOf(name: string): string {
  let text = name;
  for (let i = 0; i < MAX_DECODINGS && text.includes('%'); i++) text = decodeLoosely(text);
  const [head = ''] = text.replace(EDGES, '').split(CUT, 1);
  return head.replace(EDGES, '').replace(/[.+ ]/g, '_').toLowerCase();
}

function decodeLoosely(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
