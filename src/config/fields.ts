import { z } from 'zod';
import { parseNetwork } from '../http/ip-network.js';
import { parseAddress } from './address.js';
import { DURATION_PATTERN, parseDuration, parseSize } from './units.js';

/** What the reference page and the JSON Schema say about a key. The example is what follows the colon in YAML. */
interface Documentation {
  readonly description: string;
  readonly 'x-example'?: unknown;
}

/** Says what a key is for. Every key of the schema passes through here; a test holds that. */
export function documented<T extends z.ZodType>(schema: T, description: string, example?: unknown): T {
  const meta: Documentation = example === undefined ? { description } : { description, 'x-example': example };
  return schema.meta({ ...schema.meta(), ...meta });
}

/** When a changed value takes effect; `presence`: at once, and whether the key is there at the next start. */
export type Applies = 'live' | 'restart' | 'presence';

/**
 * Marks a key that is bound when the process starts; all others are live. A reload warns of a change, and the reference
 * page shows it.
 *
 * @param schema documented already
 */
export function appliesAt<T extends z.ZodType>(applies: Exclude<Applies, 'live'>, schema: T): T {
  return schema.meta({ ...schema.meta(), 'x-applies': applies });
}

/** The wording of a wrong value. It never quotes the value, which may be a secret. */
export function mustBe(what: string) {
  return (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? `is required; it must be ${what}` : `must be ${what}`;
}

/**
 * A mapping with known keys and no other. Its message for an unknown key is the list of the known ones, from which
 * the report makes a suggestion.
 */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });
}

/** A mapping with keys that the operator chooses. The result has no prototype: `constructor` is not in it unless given. */
export function dictionary<K extends z.ZodType<string, string>, V extends z.ZodType>(key: K, value: V) {
  return z
    .record(key, value)
    .transform((record) => Object.assign(Object.create(null) as Record<string, z.output<V>>, record));
}

/** A string that passes a check. */
export function text(what: string, check: (value: string) => boolean = (value) => value !== '') {
  return z.string({ error: mustBe(what) }).refine(check, { error: mustBe(what) });
}

/** A string that becomes something else. */
export function parsedText<T>(what: string, parse: (value: string) => T | undefined) {
  return z.string({ error: mustBe(what) }).transform((value, ctx) => orIssue(parse(value), what, ctx));
}

function orIssue<T>(parsed: T | undefined, what: string, ctx: z.RefinementCtx): T {
  if (parsed !== undefined) return parsed;
  ctx.addIssue({ code: 'custom', message: `must be ${what}` });
  return z.NEVER;
}

/** One word of a few. */
export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: mustBe(words.length === 1 ? words[0] : `one of ${words.join(', ')}`) });
}

/** true or false, and no word that might mean one of them. */
export function flag() {
  return z.boolean({ error: mustBe('true or false') });
}

/** A whole number within bounds. */
export function count(min: number, max: number, what = `a whole number from ${min} to ${max}`) {
  const error = mustBe(what);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A list with at least one member. */
export function list<T extends z.ZodType>(member: T, what = 'a list with at least one entry') {
  return z.array(member, { error: mustBe(what) }).min(1, { error: mustBe(what) });
}

/** A duration within bounds, spelled like them; milliseconds afterwards. */
export function duration(min: string, max: string) {
  const what = `a duration from ${min} to ${max}, such as 500ms, 30s, 5m or 24h`;
  const [least, most] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return z
    .string({ error: mustBe(what) })
    .regex(DURATION_PATTERN, { error: mustBe(what) })
    .transform((value, ctx) => orIssue(within(parseDuration(value), least, most), what, ctx))
    .meta({ 'x-kind': 'duration', 'x-bounds': `${min} to ${max}` });
}

/** A size within bounds, as a number of bytes or with a unit; bytes afterwards. */
export function size(min: string, max: string) {
  const what = `a size from ${min} to ${max}, such as 8192, 64KiB or 1MiB`;
  const [least, most] = [parseSize(min) ?? 0, parseSize(max) ?? 0];
  return z
    .union([z.number(), z.string()], { error: mustBe(what) })
    .transform((value, ctx) => orIssue(within(parseSize(value), least, most), what, ctx))
    .meta({ 'x-kind': 'size', 'x-bounds': `${min} to ${max}` });
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** An address to listen on, in the spelling that gRPC takes. */
export function address() {
  return parsedText(
    'host:port with a port from 0 to 65535 (IPv6 in brackets), or unix:/absolute/path',
    (value) => {
      const parsed = parseAddress(value);
      if (parsed === undefined) return undefined;
      return parsed.kind === 'unix' ? `unix:${parsed.path}` : value;
    },
  ).meta({ 'x-kind': 'address' });
}

/** An http or https URL, without credentials and fragment. Whether plain http is acceptable is checked elsewhere. */
export function webUrl() {
  return text('an https URL without credentials and fragment', isWebUrl).meta({ 'x-kind': 'URL' });
}

function isWebUrl(value: string): boolean {
  // URL() forgives blanks and control characters; a byte-for-byte comparison with a claim would not.
  if (/[^\x21-\x7e]|[#\\]/.test(value) || !/^https?:\/\/[^/]/i.test(value)) return false;
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '' && url.hostname !== '';
}

/** scheme, host and port, and nothing else; in the spelling browsers use afterwards. */
export function origin() {
  return parsedText('an origin: scheme, host and perhaps port, such as https://api.example.com', (value) => {
    if (!isWebUrl(value)) return undefined;
    const url = new URL(value);
    return url.pathname === '/' && !value.includes('?') ? url.origin : undefined;
  }).meta({ 'x-kind': 'origin' });
}

/** A field name or method of HTTP (RFC 9110 5.6.2). */
export const HTTP_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

/** The name of a header field; lower-case afterwards. */
export function headerName() {
  return parsedText('the name of a header field', (value) =>
    HTTP_TOKEN.test(value) ? value.toLowerCase() : undefined,
  ).meta({ 'x-kind': 'header name' });
}

/** The name of a policy: a metric label and a header value, so visible ASCII. */
export function policyName() {
  return text('the name of a policy: up to 128 visible ASCII characters', (value) =>
    /^[\x21-\x7e]{1,128}$/.test(value),
  );
}

/** An IP address, or a network in CIDR notation. */
export function network() {
  return text(
    'an IP address or a network such as 10.0.0.0/8',
    (value) => parseNetwork(value) !== undefined,
  ).meta({ 'x-kind': 'network' });
}
