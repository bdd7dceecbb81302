/** An earlier src/authz/cookies.ts that makes a list of crumbs: slower on hostile input, and the oracle of its tests. */
/**
 * The `cookie` header: finding one cookie, and leaving one out. Several fields may be there, and Envoy joins them:
 * `a=1; b=2` on HTTP/2, `a=1,b=2` on HTTP/1 (where a comma may also be part of a value), so both part cookies here.
 */
import type { RequestHeaders } from '../../../src/authz/types.js';

/** One `name=value` of the header, with what stood before it. */
interface Crumb {
  readonly separator: ';' | ',';
  /** As it was sent, spaces included. */
  readonly text: string;
}

/** What a header value is read as when its bytes are no UTF-8: nothing can be found in it, or be left out of it. */
const UNREADABLE = '\ufffd';
// eslint-disable-next-line no-control-regex -- Envoy refuses a request in which such a value is set
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The values of all cookies of a name. Double quotes around a value are taken off (RFC 6265 4.1.1); nothing is decoded.
 *
 * @param headers untrusted
 * @param name compared with case
 * @returns in order, without empty ones
 */
export function cookieValues(headers: RequestHeaders, name: string): string[] {
  const header = headers.get('cookie');
  if (header?.includes(name) !== true) return [];
  return crumbsOf(header)
    .filter((crumb) => nameOf(crumb) === name)
    .map(valueOf)
    .filter((value) => value !== '');
}

/**
 * The `cookie` header without some cookies. The others stay as they were sent and in order; several fields become one.
 *
 * @param headers untrusted
 * @returns undefined: nothing to leave out; empty: nothing is left, or nothing in it can be read
 */
export function withoutCookies(headers: RequestHeaders, names: ReadonlySet<string>): string | undefined {
  const header = headers.get('cookie');
  if (header === undefined) return undefined;
  if (header.includes(UNREADABLE)) return '';
  if (!mentionsAny(header, names)) return undefined;
  const fields = headers.all('cookie').map((field) => crumbsOf(field));
  if (!fields.some((crumbs) => crumbs.some((crumb) => names.has(nameOf(crumb))))) return undefined;
  return fields
    .map((crumbs) => joinKept(crumbs, names))
    .filter((field) => field !== '')
    .join('; ');
}

function mentionsAny(header: string, names: ReadonlySet<string>): boolean {
  for (const name of names) if (header.includes(name)) return true;
  return false;
}

function crumbsOf(header: string): Crumb[] {
  const crumbs: Crumb[] = [];
  let separator: Crumb['separator'] = ';';
  let start = 0;
  for (let i = 0; i <= header.length; i++) {
    const char = header[i];
    if (char !== ';' && char !== ',' && char !== undefined) continue;
    crumbs.push({ separator, text: header.slice(start, i) });
    start = i + 1;
    if (char !== undefined) separator = char;
  }
  return crumbs;
}

function nameOf({ text }: Crumb): string {
  const equals = text.indexOf('=');
  return (equals < 0 ? text : text.slice(0, equals)).trim();
}

function valueOf({ text }: Crumb): string {
  const equals = text.indexOf('=');
  const value = equals < 0 ? '' : text.slice(equals + 1).trim();
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** A comma stays only between neighbours that both stay: it may be part of a value. */
function joinKept(crumbs: readonly Crumb[], names: ReadonlySet<string>): string {
  let kept = '';
  let afterGap = false;
  for (const crumb of crumbs) {
    if (names.has(nameOf(crumb)) || CONTROL.test(crumb.text)) {
      afterGap = true;
      continue;
    }
    if (crumb.separator === ',' && !afterGap) kept += `,${crumb.text.trimEnd()}`;
    else if (crumb.text.trim() !== '') kept += `${kept === '' ? '' : '; '}${crumb.text.trim()}`;
    afterGap = false;
  }
  return kept;
}
