/**
 * A proxy's question → the request that it asks about. What describes the request must be there once, in the one spelling
 * that the proxy writes: a second value or another spelling is the client's, and which of them the upstream
 * believes nobody knows.
 */
import { createRequest } from '../../authz/create-request.js';
import { Denial } from '../../authz/denial.js';
import { normalizeHost } from '../../authz/host.js';
import type { AuthzRequest } from '../../authz/types.js';
import { headerText } from './header-text.js';
import type { QuestionHeaders, Style } from './styles.js';

/** What is read of an HTTP message; node's IncomingMessage is one. */
export interface Question {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Name, value, name, value …, a character for each byte. */
  readonly rawHeaders: readonly string[];
}

type Field = readonly [name: string, value: string];

/** Most header fields in one question; node stops at 2,000 by itself. */
const MAX_HEADERS = 1000;
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const POLICY_PATH = /^\/policy\/([\x21-\x7e]{1,384})$/;
/** Fields of the question's own transport, which say nothing of the request that is judged. */
const HOP_HEADERS = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);

/**
 * Envoy takes out the client's own, so that it is true where Envoy asks. No other proxy does, and a certificate is public:
 * whoever wrote it here would pass as its owner.
 */
const CLIENT_CERTIFICATE = 'x-forwarded-client-cert';

/** @returns the reader of a style's questions; it throws Denial malformed_request and invalid_host */
export function createQuestionReader({ question }: Style): (message: Question) => AuthzRequest {
  return question === undefined ? readRequestLine : createHeaderReader(question);
}

/** The question is the request: same method, target, Host and headers. */
function readRequestLine(message: Question): AuthzRequest {
  const fields = fieldsOf(message);
  const host = onlyValue(fields, 'host');
  return build({ method: message.method, host, target: message.url, fields, policy: undefined });
}

function createHeaderReader(names: QuestionHeaders): (message: Question) => AuthzRequest {
  const own = [names.method, names.target, ...(names.host === undefined ? [] : [names.host])];
  const known = new Set(own);
  return (message) => {
    const all = fieldsOf(message);
    for (const [name] of all) {
      if (!known.has(name) && isAlias(name) && known.has(name.replace(/[_.]/g, '-'))) malformed();
    }
    const fields = all.filter(([name]) => name !== CLIENT_CERTIFICATE);
    const policy = policyOf(message.url);
    const method = onlyValue(fields, names.method);
    const target = onlyValue(fields, names.target);
    if (names.host !== undefined)
      return build({ method, target, host: onlyValue(fields, names.host), fields, policy });
    return build({ method, ...splitUrl(target), fields, policy });
  };
}

interface Parts {
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly host: string | undefined;
  readonly fields: readonly Field[];
  readonly policy: string | undefined;
}

function build({ method = '', target = '', host = '', fields, policy }: Parts): AuthzRequest {
  // An absolute URI, an authority or `*`: no proxy writes it here, and what the upstream gets is something else.
  if (!METHOD.test(method) || !target.startsWith('/')) malformed();
  if (normalizeHost(host) === undefined) throw new Denial('invalid_host');
  const headers = fields.filter(([name]) => !HOP_HEADERS.has(name));
  return createRequest({ method, target, host, headers, callPolicy: policy });
}

function fieldsOf({ rawHeaders }: Question): Field[] {
  if (rawHeaders.length > MAX_HEADERS * 2) malformed();
  const fields: Field[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    fields.push([(rawHeaders[at] as string).toLowerCase(), headerText(rawHeaders[at + 1] as string)]);
  return fields;
}

/** The one value of a name; missing, empty or twice is malformed. */
function onlyValue(fields: readonly Field[], wanted: string): string {
  let found: string | undefined;
  for (const [name, value] of fields) {
    if (name !== wanted) continue;
    if (found !== undefined) malformed();
    found = value;
  }
  return found === undefined || found === '' ? malformed() : found;
}

/** CGI and its descendants read `_` and `.` as `-`. */
function isAlias(name: string): boolean {
  return name.includes('_') || name.includes('.');
}

/**
 * The operator chooses the policy with the path of the question, which no client can touch: `/` or `/policy/NAME`. The
 * query is not read, since Caddy appends the client's.
 */
function policyOf(url = ''): string | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (path === '/') return undefined;
  const [, encoded] = POLICY_PATH.exec(path) ?? [];
  try {
    return encoded === undefined ? malformed() : decodeURIComponent(encoded);
  } catch {
    return malformed();
  }
}

/** `$scheme://$http_host$request_uri`, as ingress-nginx writes it. */
function splitUrl(url: string): { host: string; target: string } {
  const [, host = '', target = ''] = /^https?:\/\/([^/?#]*)(\/.*)$/.exec(url) ?? [];
  return { host, target };
}

function malformed(): never {
  throw new Denial('malformed_request');
}
