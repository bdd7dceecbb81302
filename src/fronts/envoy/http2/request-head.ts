/**
 * What a request says before its body, held to the rules by which a request is malformed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.1.1
 */

type Field = readonly [name: string, value: string];

/** A well-formed request. Its values are the client's. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** `:authority`, or else `host`. */
  readonly authority: string | undefined;
  /** All fields as they came, those that begin with a colon too. */
  readonly fields: readonly Field[];
  /** The announced length of the body; undefined: not announced. */
  readonly contentLength: number | undefined;
}

interface Draft {
  method: string | undefined;
  scheme: string | undefined;
  path: string | undefined;
  authority: string | undefined;
  host: string | undefined;
  contentLength: number | undefined;
}

/** @returns the request; undefined: it is malformed */
export function parseRequestHead(fields: readonly Field[]): RequestHead | undefined {
  const draft: Draft = {
    method: undefined,
    scheme: undefined,
    path: undefined,
    authority: undefined,
    host: undefined,
    contentLength: undefined,
  };
  let afterPseudo = false;
  for (const [name, value] of fields) {
    if (!isFieldValue(value)) return undefined;
    if (name.charCodeAt(0) === COLON) {
      if (afterPseudo || !takePseudo(draft, name, value)) return undefined;
    } else {
      afterPseudo = true;
      if (!isFieldName(name) || !takeField(draft, name, value)) return undefined;
    }
  }
  return finish(draft, fields);
}

/** Trailers have no pseudo-header fields (section 8.1). */
export function areTrailers(fields: readonly Field[]): boolean {
  return fields.every(([name, value]) => isFieldName(name) && isFieldValue(value));
}

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1 */
function finish(draft: Draft, fields: readonly Field[]): RequestHead | undefined {
  const { method, scheme, contentLength } = draft;
  const isConnect = method === 'CONNECT';
  if (method === undefined || isConnect !== (scheme === undefined)) return undefined;
  if (isConnect !== (draft.path === undefined) || draft.path === '') return undefined;
  const authority = draft.authority ?? draft.host;
  if (isConnect && draft.authority === undefined) return undefined;
  return { method, path: draft.path ?? '', authority, fields, contentLength };
}

/** Each once, and no unknown one. */
function takePseudo(draft: Draft, name: string, value: string): boolean {
  switch (name) {
    case ':method':
      if (draft.method !== undefined) return false;
      draft.method = value;
      return true;
    case ':scheme':
      if (draft.scheme !== undefined) return false;
      draft.scheme = value;
      return true;
    case ':path':
      if (draft.path !== undefined) return false;
      draft.path = value;
      return true;
    case ':authority':
      if (draft.authority !== undefined) return false;
      draft.authority = value;
      return true;
    default:
      return false;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2 for what belongs to a connection of HTTP/1 */
function takeField(draft: Draft, name: string, value: string): boolean {
  switch (name) {
    case 'connection':
    case 'proxy-connection':
    case 'keep-alive':
    case 'transfer-encoding':
    case 'upgrade':
      return false;
    case 'te':
      return value === 'trailers';
    case 'host':
      if (draft.host !== undefined) return false;
      draft.host = value;
      return true;
    case 'content-length':
      if (draft.contentLength !== undefined || !/^\d{1,15}$/.test(value)) return false;
      draft.contentLength = Number(value);
      return true;
    default:
      return true;
  }
}

const COLON = 58;
const UPPER_A = 65;
const UPPER_Z = 90;
const DEL = 127;
const SPACE = 32;
const TAB = 9;

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-8.2.1 the least that must be refused */
function isFieldName(name: string): boolean {
  const { length } = name;
  for (let at = 0; at < length; at++) {
    const code = name.charCodeAt(at);
    if (code <= SPACE || code >= DEL || code === COLON || (code >= UPPER_A && code <= UPPER_Z)) return false;
  }
  return length > 0;
}

/** No NUL, CR or LF, and no blank at either end. */
function isFieldValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    if (code < 14 && (code === 0 || code === 10 || code === 13)) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1));
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
