/**
 * The `cookie` header: finding one cookie, and leaving one out. Several fields may be there, and Envoy joins them:
 * `a=1; b=2` on HTTP/2, `a=1,b=2` on HTTP/1 (where a comma may also be part of a value), so both separate cookies here.
 */
import type { RequestHeaders } from './types.js';

/** Stands for a header value that is not UTF-8: nothing can be found in it or removed from it. */
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
  const values: string[] = [];
  if (header?.includes(name) !== true) return values;
  for (let start = 0, end: number; start <= header.length; start = end + 1) {
    end = endOfCrumb(header, start);
    if (end - start < name.length) continue;
    const text = header.slice(start, end);
    const value = nameOf(text) === name ? valueOf(text) : '';
    if (value !== '') values.push(value);
  }
  return values;
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
  const fields = headers.all('cookie');
  if (!fields.some((field) => holdsAny(field, names))) return undefined;
  return fields
    .map((field) => keptOf(field, names))
    .filter((field) => field !== '')
    .join('; ');
}

function mentionsAny(header: string, names: ReadonlySet<string>): boolean {
  for (const name of names) if (header.includes(name)) return true;
  return false;
}

function holdsAny(field: string, names: ReadonlySet<string>): boolean {
  for (let start = 0, end: number; start <= field.length; start = end + 1) {
    end = endOfCrumb(field, start);
    if (end > start && names.has(nameOf(field.slice(start, end)))) return true;
  }
  return false;
}

const SEMICOLON = 0x3b;
const COMMA = 0x2c;

/** @returns where the `name=value` that begins there ends: at its separator, or at the end of the header */
function endOfCrumb(header: string, start: number): number {
  let end = start;
  while (end < header.length && !isSeparator(header.charCodeAt(end))) end++;
  return end;
}

function isSeparator(code: number): boolean {
  return code === SEMICOLON || code === COMMA;
}

function nameOf(crumb: string): string {
  const equals = crumb.indexOf('=');
  return (equals < 0 ? crumb : crumb.slice(0, equals)).trim();
}

function valueOf(crumb: string): string {
  const equals = crumb.indexOf('=');
  const value = equals < 0 ? '' : crumb.slice(equals + 1).trim();
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** A comma stays only between neighbours that both stay: it may be part of a value. */
function keptOf(field: string, names: ReadonlySet<string>): string {
  const kept = new KeptText(field);
  let afterGap = false;
  for (let start = 0, end: number; start <= field.length; start = end + 1) {
    end = endOfCrumb(field, start);
    const text = end > start ? field.slice(start, end) : '';
    if (text !== '' && (names.has(nameOf(text)) || CONTROL.test(text))) {
      afterGap = true;
      continue;
    }
    const isBehindComma = start > 0 && field.charCodeAt(start - 1) === COMMA;
    if (isBehindComma && !afterGap) kept.add(start - 1, start + text.trimEnd().length);
    else kept.addApart(start + (text.length - text.trimStart().length), start + text.trimEnd().length);
    afterGap = false;
  }
  return kept.text();
}

/** Text made of pieces of a field. Pieces that follow each other are cut out at once: there can be thousands. */
class KeptText {
  private done = '';
  private start = 0;
  private end = 0;

  constructor(private readonly field: string) {}

  /** Behind what is kept so far. */
  add(start: number, end: number): void {
    if (start !== this.end) {
      this.flush();
      this.start = start;
    }
    this.end = end;
  }

  /** The same, separated by `; `; empty pieces are skipped. */
  addApart(start: number, end: number): void {
    if (start >= end) return;
    this.flush();
    if (this.done !== '') this.done += '; ';
    this.start = start;
    this.end = end;
  }

  text(): string {
    this.flush();
    return this.done;
  }

  private flush(): void {
    if (this.end > this.start) this.done += this.field.slice(this.start, this.end);
    this.start = this.end;
  }
}
