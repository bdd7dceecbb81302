import { isUtf8 } from 'node:buffer';
import type { JsonObject } from '../ports.js';
import { JwsRejection } from './jws-rejection.js';

/** Bounds of a JSON text from outside. */
export interface JsonLimits {
  /** Objects and arrays within each other; the outermost is 1. */
  readonly maxDepth: number;
  /** Members and elements of the whole text together. */
  readonly maxMembers: number;
}

/** Far more than an issuer writes, and still cheap to read. */
export const JSON_LIMITS: JsonLimits = { maxDepth: 16, maxMembers: 4096 };

/** An object without `constructor`, `toString` or `__proto__` to be found in it. As a class it stays a fast one. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class
class BareObject {}
Object.setPrototypeOf(BareObject.prototype, null);
Reflect.deleteProperty(BareObject.prototype, 'constructor');
Object.freeze(BareObject.prototype);

/**
 * Reads a JSON object that can be read in one way only: valid UTF-8 without BOM, no member twice at any depth (also
 * when spelled with escapes), no lone surrogates, finite numbers, bounded depth and size, nothing after the end.
 * A member named `__proto__` is left out. Integers beyond 2^53 lose digits, as in any JavaScript.
 *
 * @param bytes untrusted; the caller has bounded their number
 * @returns an object with own properties only, at every depth
 * @throws JwsRejection
 * @see RFC 8259, RFC 7493 (I-JSON), RFC 7515 section 4
 */
export function parseStrictJsonObject(bytes: Buffer, limits: JsonLimits = JSON_LIMITS): JsonObject {
  return parseStrictJsonText(readUtf8(bytes), limits);
}

/**
 * Reads bytes as text.
 *
 * @param bytes untrusted
 * @throws JwsRejection not_utf8
 */
export function readUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new JwsRejection('not_utf8');
  return bytes.toString('utf8');
}

/** The same as parseStrictJsonObject(), of a text from readUtf8(). */
export function parseStrictJsonText(text: string, limits: JsonLimits = JSON_LIMITS): JsonObject {
  const members = countMembers(text, limits);
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JwsRejection('not_an_object');
  const copy = new BareCopy(text.includes('\\'));
  const object = copy.object(value as JsonObject);
  // A member that comes twice overwrites the first, so the tree then has fewer members than the text.
  if (copy.members !== members) throw new JwsRejection('duplicate_member');
  return object;
}

function parseJson(text: string): unknown {
  // The stack of an error that is never shown would be two thirds of a refusal's cost.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return JSON.parse(text);
  } catch {
    throw new JwsRejection('not_json');
  } finally {
    Error.stackTraceLimit = limit;
  }
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Counts the members of a JSON text, which are its colons outside strings, before anything is built from it.
 * Knows just enough grammar for that; JSON.parse judges the rest.
 */
function countMembers(text: string, limits: JsonLimits): number {
  const escapes = text.includes('\\');
  let depth = 0;
  let members = 0;
  let commas = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i + 1, escapes);
        break;
      case COLON:
        members++;
        break;
      case COMMA:
        commas++;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > limits.maxDepth) throw new JwsRejection('too_deep');
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      default:
    }
  }
  if (Math.max(members, commas + 1) > limits.maxMembers) throw new JwsRejection('too_many_members');
  return members;
}

/** @returns the index of the closing quote */
function endOfString(text: string, start: number, escapes: boolean): number {
  let end = text.indexOf('"', start);
  while (escapes && end > start && isEscaped(text, end, start)) end = text.indexOf('"', end + 1);
  if (end < 0) throw new JwsRejection('not_json');
  return end;
}

function isEscaped(text: string, index: number, start: number): boolean {
  let first = index;
  while (first > start && text[first - 1] === '\\') first--;
  return (index - first) % 2 === 1;
}

/** With the `u` flag a surrogate matches only where it has no partner. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

/** Copies a parsed tree into objects without a prototype, and counts the members it finds. */
class BareCopy {
  members = 0;

  /** @param escapes the text holds escapes, so strings may hold what UTF-8 cannot */
  constructor(private readonly escapes: boolean) {}

  object(source: JsonObject): JsonObject {
    const target = new BareObject() as Record<string, unknown>;
    for (const name of Object.keys(source)) {
      this.members++;
      if (this.escapes) assertWellFormed(name);
      const value = this.value(source[name]);
      if (name !== '__proto__') target[name] = value;
    }
    return target;
  }

  private value(value: unknown): unknown {
    if (typeof value === 'string') {
      if (this.escapes) assertWellFormed(value);
      return value;
    }
    if (typeof value === 'number' && !Number.isFinite(value)) throw new JwsRejection('number_out_of_range');
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value) ? this.array(value) : this.object(value as JsonObject);
  }

  private array(values: unknown[]): unknown[] {
    for (let i = 0; i < values.length; i++) values[i] = this.value(values[i]);
    return values;
  }
}

function assertWellFormed(text: string): void {
  if (LONE_SURROGATE.test(text)) throw new JwsRejection('lone_surrogate');
}
