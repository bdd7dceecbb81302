import { type HeaderField } from './header-field.js';

/**
 * The static table. Index 1 is the first entry; entry 0 is never used and holds its place.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7541#appendix-A
 */
export const STATIC_TABLE: readonly HeaderField[] = [
  ['', ''],
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

/** The number of entries of the static table: dynamic entries begin after it. */
export const STATIC_ENTRIES = STATIC_TABLE.length - 1;

const byName = new Map<string, number>();
const byField = new Map<string, number>();
for (let index = STATIC_ENTRIES; index > 0; index--) {
  const [name, value] = STATIC_TABLE[index] as HeaderField;
  byName.set(name, index);
  byField.set(`${name}\n${value}`, index);
}

/** @returns the index of the entry with this name and value, 0 where there is none */
export function staticFieldIndex([name, value]: HeaderField): number {
  return byName.has(name) ? (byField.get(`${name}\n${value}`) ?? 0) : 0;
}

/** @returns the index of the first entry with this name, 0 where there is none */
export function staticNameIndex(name: string): number {
  return byName.get(name) ?? 0;
}
