/** Where tokens are looked for, and what is refused before a token is even looked at (RFC 6750 2, RFC 9449 7). */
import { cookieValues } from './cookies.js';
import { Denial } from './denial.js';
import { decodeQueryValue, queryValues } from './query.js';
import type { AuthzRequest, Credential, CredentialPlace } from './types.js';

/** A place where tokens are looked for. */
export type CredentialSource =
  /** `authorization` without a prefix knows the schemes Bearer and DPoP; any other header holds the bare token. */
  | { readonly header: string; readonly prefix?: string | undefined }
  | { readonly cookie: string }
  | { readonly query: string };

/** The operator's choices. */
export interface CredentialOptions {
  /** In order of preference. */
  readonly sources: readonly CredentialSource[];
  /** Credentials in several places: `reject` refuses the request, `first` uses the first one. */
  readonly multiple: 'reject' | 'first';
  /** Longest token that is looked at, bytes (a token is ASCII). */
  readonly maxTokenBytes: number;
}

/** Finds the credential of a request. */
export interface CredentialFinder {
  /**
   * @param request untrusted
   * @returns the credential, of which only the form is checked; undefined: the request has none
   * @throws Denial multiple_credentials, malformed_credential, token_too_large
   */
  find(request: AuthzRequest): Credential | undefined;
}

/** Reads one place. Throws multiple_credentials where the place itself holds several. */
type Reader = (request: AuthzRequest) => Credential | undefined;

const MULTIPLE = new Denial('multiple_credentials');
const MALFORMED = new Denial('malformed_credential');
const TOO_LARGE = new Denial('token_too_large');

/** Where the characters of token68 end (RFC 9110 11.2). Searching for that costs half of matching all of them. */
const OTHER_CHARACTER = /[^A-Za-z0-9._~+/-]/;
const PADDING = /^=+$/;

/** @param options validated configuration */
export function createCredentialFinder(options: CredentialOptions): CredentialFinder {
  const readers = options.sources.map((source) => readerOf(source, options.multiple));
  const [only] = readers;
  const read = readers.length === 1 && only !== undefined ? only : readAll(readers, options.multiple);
  return {
    find(request) {
      const credential = read(request);
      if (credential !== undefined) assertWellFormed(credential.token, options.maxTokenBytes);
      return credential;
    },
  };
}

/** Does not look into the token. @throws Denial token_too_large, malformed_credential */
export function assertWellFormed(token: string, maxTokenBytes: number): void {
  if (token.length > maxTokenBytes) throw TOO_LARGE;
  if (!isToken68(token)) throw MALFORMED;
}

function isToken68(text: string): boolean {
  const end = text.search(OTHER_CHARACTER);
  return end < 0 ? text !== '' : end > 0 && PADDING.test(text.slice(end));
}

function readAll(readers: readonly Reader[], multiple: CredentialOptions['multiple']): Reader {
  return (request) => {
    let first: Credential | undefined;
    for (const read of readers) {
      const found = read(request);
      if (found === undefined) continue;
      if (multiple === 'first') return found;
      if (first !== undefined) throw MULTIPLE;
      first = found;
    }
    return first;
  };
}

function readerOf(source: CredentialSource, multiple: CredentialOptions['multiple']): Reader {
  if ('cookie' in source) return cookieReader(source.cookie, multiple);
  if ('query' in source) return queryReader(source.query, multiple);
  const name = source.header.toLowerCase();
  if (name === 'authorization' && source.prefix === undefined) return authorizationReader();
  return headerReader(name, source.prefix?.toLowerCase() ?? '');
}

// ---- authorization ---------------------------------------------------------------------------------------------------

/** A Bearer or DPoP credential after a comma, as proxies join two fields. Other schemes use commas themselves. */
const SECOND_CREDENTIAL = /,\s*(?:bearer|dpop)(?:[\s,]|$)/i;
/** A known scheme that is not followed by a space, but by something that ends its name. */
const GLUED_SCHEME = /^[\s,]*(?:bearer|dpop)[^!#$%&'*+.^_`|~0-9A-Za-z-]/i;
const SCHEMES: Readonly<Record<string, Credential['scheme'] | undefined>> = Object.assign(
  Object.create(null) as Record<string, Credential['scheme']>,
  { bearer: 'bearer', dpop: 'dpop' },
);

function authorizationReader(): Reader {
  const place: CredentialPlace = { kind: 'header', name: 'authorization' };
  return ({ headers }) => {
    const value = headers.get('authorization');
    if (value === undefined) return undefined;
    const space = value.indexOf(' ');
    const scheme = schemeOf(space < 0 ? value : value.slice(0, space));
    if (scheme === undefined) {
      if (headers.all('authorization').length > 1) throw MULTIPLE;
      assertForeignScheme(value);
      return undefined;
    }
    if (value.includes(',')) throw MULTIPLE;
    return { scheme, token: space < 0 ? '' : afterSpaces(value, space), place };
  };
}

function schemeOf(text: string): Credential['scheme'] | undefined {
  if (text === 'Bearer') return 'bearer';
  return text.length === 6 || text.length === 4 ? SCHEMES[text.toLowerCase()] : undefined;
}

/** What the decoder makes of bytes that are not UTF-8. */
const UNREADABLE = '\ufffd';

/** Another scheme is not our credential. A disguised scheme of ours is refused, and so is a value that cannot be read. */
function assertForeignScheme(value: string): void {
  if (value.includes(UNREADABLE)) throw MALFORMED;
  if (SECOND_CREDENTIAL.test(value)) throw MULTIPLE;
  if (GLUED_SCHEME.test(value)) throw MALFORMED;
}

/** RFC 9110 11.4: one or more spaces. */
function afterSpaces(value: string, space: number): string {
  let start = space;
  while (value.charCodeAt(start) === 32) start++;
  return value.slice(start);
}

// ---- other places ----------------------------------------------------------------------------------------------------

/** @param prefix in lower case; a value that does not begin with it is not meant for us */
function headerReader(name: string, prefix: string): Reader {
  const place: CredentialPlace = { kind: 'header', name };
  const isOurs = (value: string): boolean => value.slice(0, prefix.length).toLowerCase() === prefix;
  return ({ headers }) => {
    const value = headers.get(name);
    if (value === undefined || value === '') return undefined;
    if (value.includes(UNREADABLE)) throw MALFORMED;
    if (value.includes(',')) {
      if (!value.toLowerCase().includes(prefix)) return undefined;
      if (value.split(',').some((part) => isOurs(part.trimStart()))) throw MULTIPLE;
      return undefined;
    }
    return isOurs(value) ? { scheme: 'bearer', token: value.slice(prefix.length), place } : undefined;
  };
}

function cookieReader(name: string, multiple: CredentialOptions['multiple']): Reader {
  const place: CredentialPlace = { kind: 'cookie', name };
  return ({ headers }) => {
    const [token, second] = cookieValues(headers, name);
    if (token === undefined) return undefined;
    if (second !== undefined && multiple === 'reject') throw MULTIPLE;
    return { scheme: 'bearer', token, place };
  };
}

function queryReader(name: string, multiple: CredentialOptions['multiple']): Reader {
  const place: CredentialPlace = { kind: 'query', name };
  return ({ query }) => {
    const [value, second] = queryValues(query, name).filter((text) => text !== '');
    if (value === undefined) return undefined;
    if (second !== undefined && multiple === 'reject') throw MULTIPLE;
    return { scheme: 'bearer', token: decodeQueryValue(value) ?? '', place };
  };
}
