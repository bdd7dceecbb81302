/**
 * Values of claims as header text. The same value always gives the same text.
 *
 * What is not visible ASCII (RFC 5234 VCHAR) is percent-encoded as UTF-8, spaces included, and so is `%` itself, so
 * `decodeURIComponent` gives the value back, and no value can look like another. In a csv a comma within
 * a member is encoded too. An integer that JavaScript rounds is refused: its neighbours would get the same header.
 */
import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';

/** How a claim is written. `text`: scalars as they are, lists of them as csv, anything else as json. */
export type ClaimForm = 'text' | 'csv' | 'json';

/** Longest header value, bytes. Envoy answers 500 once all headers together pass about 60 KiB. */
const MAX_VALUE_BYTES = 8192;
/** Objects and lists within each other. */
const MAX_DEPTH = 16;

/** The identity could not be expressed in full, and a part of it may grant more than the whole. */
const UNPRESENTABLE = new Denial('invalid_claims');

const VISIBLE = /^[\u0021-\u0024\u0026-\u007e]*$/;
const INVISIBLE = /[^\u0021-\u0024\u0026-\u007e]+/gu;

/**
 * Writes a claim as a header value.
 *
 * @param value of a verified token, of any JSON type
 * @returns visible ASCII, never empty; undefined where there is nothing to write: absent, null, an empty text, and in a
 *   csv an empty list or object
 * @throws Denial invalid_claims for a value that is too long, too deep or no JSON, or holds an integer beyond 2^53
 */
export function headerTextOf(value: unknown, form: ClaimForm): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = form === 'json' ? percentEncode(jsonTextOf(value)) : plainTextOf(value, form);
  if (text.length > MAX_VALUE_BYTES) throw UNPRESENTABLE;
  return text === '' ? undefined : text;
}

function plainTextOf(value: unknown, form: 'text' | 'csv'): string {
  if (Array.isArray(value)) return value.map(memberTextOf).filter(isPresent).join(',');
  return form === 'csv' ? memberTextOf(value) : percentEncode(scalarTextOf(value));
}

function isPresent(text: string): boolean {
  return text !== '';
}

/** Null is an empty member, and those are left out. */
function memberTextOf(value: unknown): string {
  return value === null ? '' : percentEncode(scalarTextOf(value)).replaceAll(',', '%2C');
}

function scalarTextOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonTextOf(value);
}

/**
 * Percent-encodes what is not visible ASCII, and `%`.
 *
 * @throws Denial invalid_claims for a lone surrogate, which no encoding can express
 */
export function percentEncode(text: string): string {
  if (text.length > MAX_VALUE_BYTES) throw UNPRESENTABLE;
  if (VISIBLE.test(text)) return text;
  try {
    return text.replace(INVISIBLE, encodeURIComponent);
  } catch {
    throw UNPRESENTABLE;
  }
}

/**
 * JSON with sorted member names, no spaces, and numbers without exponents.
 *
 * @param value of a verified token
 * @throws Denial invalid_claims for what is too deep, no JSON, or an integer beyond 2^53
 */
export function jsonTextOf(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw UNPRESENTABLE;
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return numberTextOf(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((member) => jsonTextOf(member, depth + 1)).join(',')}]`;
      return objectTextOf(value as JsonObject, depth);
    default:
      throw UNPRESENTABLE;
  }
}

function objectTextOf(object: JsonObject, depth: number): string {
  const members = Object.keys(object)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${jsonTextOf(object[name], depth + 1)}`);
  return `{${members.join(',')}}`;
}

const EXPONENT = /^(-?)(\d)(?:\.(\d+))?e(-\d+)$/;

/**
 * A number in plain decimal: `1e-7` is `0.0000001`. Beyond 2^53 parsing has rounded it already, and the
 * issuer's value is lost.
 */
function numberTextOf(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw UNPRESENTABLE;
  const text = String(value);
  const [, sign = '', integer = '', fraction = '', exponent] = EXPONENT.exec(text) ?? [];
  return exponent === undefined ? text : `${sign}0.${'0'.repeat(-1 - Number(exponent))}${integer}${fraction}`;
}
