/**
 * Token parameters of the query. Envoy removes a parameter by its exact name only, and upstreams read far more
 * spellings as the same one, so a spelling that is not exact is refused: the token must not reach the upstream unnoticed.
 */
import { Denial } from './denial.js';

const AMBIGUOUS = new Denial('ambiguous_token_parameter');
/** For `%25255F` and the like: no server decodes more often. */
const MAX_DECODINGS = 3;

/**
 * The values of a parameter, as they were sent.
 *
 * @param query without `?`, untrusted
 * @param name compared exactly
 */
export function queryValues(query: string | undefined, name: string): string[] {
  const values: string[] = [];
  if (query === undefined) return values;
  for (let at = indexOfParameter(query, name, 0); at >= 0; at = indexOfParameter(query, name, at + 1)) {
    const start = at + name.length;
    if (query.charCodeAt(start) === EQUALS) values.push(query.slice(start + 1, endOfParameter(query, start)));
  }
  return values;
}

/** @returns true where Envoy would find this parameter by its exact name, with a value or without */
export function hasParameter(query: string | undefined, name: string): boolean {
  if (query === undefined) return false;
  for (let at = indexOfParameter(query, name, 0); at >= 0; at = indexOfParameter(query, name, at + 1)) {
    const end = at + name.length;
    const code = query.charCodeAt(end);
    if (end === query.length || code === EQUALS || code === AMPERSAND) return true;
  }
  return false;
}

/** @returns where a parameter begins whose name begins so; negative: nowhere from there on */
function indexOfParameter(query: string, name: string, from: number): number {
  let at = query.indexOf(name, from);
  while (at > 0 && query.charCodeAt(at - 1) !== AMPERSAND) at = query.indexOf(name, at + 1);
  return at;
}

function endOfParameter(query: string, from: number): number {
  const end = query.indexOf('&', from);
  return end < 0 ? query.length : end;
}

/**
 * Decodes the value of a token parameter. A raw `+` is a space to some servers and a plus sign to others, so it is refused.
 *
 * @param value untrusted
 * @returns undefined where it cannot be decoded in one way
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
 * Creates the check of how token parameters are spelled. It applies to every request, also under anonymous policies: a
 * token parameter with an odd spelling would reach the upstream and its logs.
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
    let isFirst = true;
    let start = 0;
    // One walk without copies: a client can send thousands of empty parts.
    for (let end = 0; end <= query.length; end++) {
      const code = end < query.length ? query.charCodeAt(end) : AMPERSAND;
      if (code !== AMPERSAND && code !== SEMICOLON) continue;
      // No reading makes a name longer.
      if (end - start >= shortest) assertPlain(query.slice(start, end), isFirst);
      isFirst = code === AMPERSAND;
      start = end + 1;
    }
  };

  /** @param isFirst not behind a semicolon: Envoy finds it by its exact name */
  function assertPlain(part: string, isFirst: boolean): void {
    const name = rawNameOf(part);
    if (name.length < shortest || (isFirst && exact.has(name))) return;
    if (shapes.has(shapeOf(name, longest) ?? '')) throw AMBIGUOUS;
  }
}

function rawNameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals < 0 ? parameter : parameter.slice(0, equals);
}

/**
 * What the most lenient servers make of a name: decoded, without case, `.` and space as `_` (PHP), cut at `[`
 * (arrays), `=` and NUL, blanks and a second `?` removed. Each step walks the text once, whatever is in it.
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
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUESTION_MARK = 0x3f;
const BRACKET = 0x5b;

/** Some servers remove blanks and control characters from a name, and a leading `?`. */
function isEdge(code: number, isFront: boolean): boolean {
  return code <= SPACE || code === PLUS || (isFront && code === QUESTION_MARK);
}

/** Where some servers end a name. NUL ends a string in C. */
function isCut(code: number): boolean {
  return code === 0 || code === EQUALS || code === BRACKET;
}

function decodeLoosely(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
