/** An earlier src/authz/query.ts that cuts the query into lists: slower on hostile input, and the oracle of its tests. */
/**
 * Token parameters of the query. Envoy removes a parameter by its exact name only, and upstreams read far more
 * spellings as the same one, so a spelling that is not exact is refused: the token must not travel on unseen.
 */
import { Denial } from '../../../src/authz/denial.js';

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
 * Makes a check of the spelling of token parameters. It is meant for every request, those of anonymous policies too:
 * a token that is spelled oddly would reach the upstream and its logs.
 *
 * @param names parameters that hold credentials, from the configuration
 * @returns a function that throws Denial ambiguous_token_parameter; it takes the query, untrusted
 */
export function createSpellingCheck(names: readonly string[]): (query: string | undefined) => void {
  const exact = new Set(names);
  const shapes = new Set(names.map((name) => shapeOf(name, name.length) ?? name));
  const lengths = [...shapes].map((shape) => shape.length);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  return (query) => {
    if (query === undefined || query === '' || shapes.size === 0) return;
    for (const parameter of query.split('&')) {
      const parts = parameter.split(';');
      for (let i = 0; i < parts.length; i++) {
        const name = rawNameOf(parts[i] ?? '');
        // No reading makes a name longer.
        if (name.length < shortest || (i === 0 && exact.has(name))) continue;
        if (shapes.has(shapeOf(name, longest) ?? '')) throw AMBIGUOUS;
      }
    }
  };
}

function rawNameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals < 0 ? parameter : parameter.slice(0, equals);
}

/**
 * What the laziest of servers would make of a name: decoded, without case, `.` and space as `_` (PHP), cut at `[`
 * (arrays), `=` and NUL, blanks and a second `?` taken off. Each step walks the text once, whatever is in it.
 *
 * @param name untrusted
 * @param maxLength a longer result is of no interest
 * @returns undefined where the result is longer
 */
function shapeOf(name: string, maxLength: number): string | undefined {
  let text = name;
  for (let i = 0; i < MAX_DECODINGS && text.includes('%'); i++) text = decodeLoosely(text);
  let start = 0;
  while (start < text.length && isEdge(text.charCodeAt(start), true)) start++;
  let end = start;
  while (end < text.length && !isCut(text.charCodeAt(end))) end++;
  while (end > start && isEdge(text.charCodeAt(end - 1), false)) end--;
  if (end - start > maxLength) return undefined;
  return text.slice(start, end).replace(/[.+ ]/g, '_').toLowerCase();
}

const SPACE = 0x20;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const QUESTION_MARK = 0x3f;
const BRACKET = 0x5b;

/** Some servers take blanks and control characters off a name, and a `?` in front of it. */
function isEdge(code: number, isFront: boolean): boolean {
  return code <= SPACE || code === PLUS || (isFront && code === QUESTION_MARK);
}

/** Where some servers end a name. NUL is where C ends a text. */
function isCut(code: number): boolean {
  return code === 0 || code === EQUALS || code === BRACKET;
}

function decodeLoosely(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
