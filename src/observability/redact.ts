/**
 * Text that a client or a token fills, as a log line may hold it: bounded, and without what looks like a credential. A
 * log is read by more people than a token is meant for, and must not be filled by one request.
 */

/** Longest text in a line, characters. */
const MAX_TEXT = 256;
/** Most members of a list in a line. */
const MAX_MEMBERS = 10;

/** Where a parameter begins that the path should not hold; a token may follow. */
const PARAMETERS = /[;#]|%(?:3[BbFf]|23)/;
/** Longer than a name, and as a token is written; a UUID is 36 characters. */
const LIKE_A_TOKEN = /[\w.~+=-]{32,}/g;
/** A compact JWS or JWE, whatever is around it. Applied to clipped text. */
const LIKE_A_JWT = /eyJ[\w-]{8,}(?:\.[\w-]*)*/g;
/** Identifiers of requests and traces: digits of base sixteen, with or without hyphens. */
const HEXADECIMAL = /^[0-9a-f-]{1,64}$/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A path names the resource. A token that somebody put into it must not be logged. */
export function describePath(path: string): string {
  const end = path.search(PARAMETERS);
  return describeText(end < 0 ? path : `${path.slice(0, end)}…`);
}

/** A client may write any request id, a token included. */
export function describeId(id: string | undefined): string | undefined {
  return id === undefined || HEXADECIMAL.test(id) ? id : describeText(id);
}

/** Text from an unverified source: every run that is long enough for a token is removed. */
export function describeText(text: string): string {
  return clip(text.replace(LIKE_A_TOKEN, (run) => (UUID.test(run) ? run : '…')));
}

/** An identifier from a verified token or from the configuration: long ones are usual, tokens are not. */
export function describeIdentifier(text: string): string {
  return clip(text).replace(LIKE_A_JWT, '…');
}

/**
 * Any value of a claim or of the configuration, for `expected` and `found`.
 *
 * @param describe how text in it is treated
 * @returns text, a number, a boolean, or a list of at most ten of these; undefined for what is absent
 */
export function describeValue(
  value: unknown,
  describe: (text: string) => string = describeIdentifier,
): unknown {
  if (value instanceof Set) return describeValue([...value], describe);
  if (!Array.isArray(value)) return describeScalar(value, describe);
  const members: unknown[] = value.slice(0, MAX_MEMBERS).map((one) => describeScalar(one, describe));
  return value.length > MAX_MEMBERS ? [...members, '…'] : members;
}

function describeScalar(value: unknown, describe: (text: string) => string): unknown {
  if (typeof value === 'string') return describe(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (value === undefined) return undefined;
  return Array.isArray(value) ? '(a list)' : '(an object)';
}

/** JSON escapes control characters, so a line stays a line. */
export function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
