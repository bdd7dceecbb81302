/**
 * Decision → the answer that a proxy copies from. An allow is 200 with the headers for the upstream; everything else is a
 * denial, and no denial has a status that a proxy takes for an allow.
 */
import { Denial } from '../../authz/denial.js';
import { perObject } from '../../authz/kept.js';
import { bodyText } from '../../authz/refusal.js';
import type { Allow, Decision, Deny, HeaderPair, Refusal } from '../../authz/types.js';
import { withoutParameters } from './without-parameters.js';
import { headerBytes } from './header-text.js';
import type { Style } from './styles.js';

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value …, as node writes them; without `content-length`. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** What the writer must know of the configuration. */
export interface AnswerOptions {
  readonly style: Style;
  /** Every header that tells the upstream who the client is, in lower case; read per answer, as a reload may change it. */
  readonly identityNames: () => readonly string[];
  /** May a credential be in a cookie, so that the upstream gets another cookie header than the client sent? */
  readonly changesCookies: () => boolean;
}

/** @returns the writer of a style's answers; it throws Denial malformed_request for what the proxy could not take out */
export function createAnswerWriter(options: AnswerOptions): (decision: Decision) => Answer {
  const headersOf = createUpstreamHeaders(options);
  const denials = perObject((refusal: Refusal) => denialHeaders(refusal, options.style));
  return (decision) =>
    decision.kind === 'allow'
      ? allowAnswer(decision, { ...options, headersOf })
      : denyAnswer(decision, denials(decision.refusal), options.style);
}

type UpstreamHeaders = (upstream: Allow['upstream']) => readonly string[];

/** What is the same for equal lists, which one token or one policy has. */
function createUpstreamHeaders({ style, identityNames }: AnswerOptions): UpstreamHeaders {
  const kept = new WeakMap<
    readonly HeaderPair[],
    { readonly remove: readonly string[]; readonly names: readonly string[]; readonly headers: string[] }
  >();
  return ({ set, remove }) => {
    const names = identityNames();
    const known = kept.get(set);
    if (known?.remove === remove && known.names === names) return known.headers;
    const headers = set.flatMap(([name, value]) => [name, headerBytes(value)]);
    if (style.blanksAbsent) for (const name of names) if (!isSet(set, name)) headers.push(name, '');
    if (style.removal === 'envoy') headers.push('x-envoy-auth-headers-to-remove', remove.join(','));
    if (style.removal === 'list') {
      const setNames = set.map(([name]) => name).join(',');
      headers.push('x-portcullis-set', setNames, 'x-portcullis-remove', remove.join(','));
    }
    kept.set(set, { remove, names, headers });
    return headers;
  };
}

function allowAnswer(
  allow: Allow,
  { style, changesCookies, headersOf }: AnswerOptions & { headersOf: UpstreamHeaders },
): Answer {
  const { removeQuery } = allow.upstream;
  if (style.removal === 'none') assertRemovable(allow);
  const headers = [...headersOf(allow.upstream)];
  for (const [name, value] of allow.responseHeaders) headers.push(name, value);
  if (style.copiesCookie && changesCookies()) keepCookie(allow, headers);
  if (removeQuery.length > 0) {
    const { path, query } = allow.ctx.request;
    headers.push('x-portcullis-target', headerBytes(withoutParameters(path, query, removeQuery)));
  }
  return { status: 200, headers, body: '' };
}

function isSet(set: readonly HeaderPair[], wanted: string): boolean {
  return set.some(([name]) => name === wanted);
}

/**
 * A proxy without code takes out the names in its configuration, and cannot name every mixture of `-`, `_` and `.`, nor all
 * that begins with our prefix. No honest client sends one.
 */
function assertRemovable({ ctx, upstream }: Allow): void {
  for (const name of ctx.request.headers.names()) {
    const isOdd = name.includes('_') || name.includes('.') || name.startsWith('x-portcullis-');
    if (isOdd && upstream.remove.includes(name)) throw new Denial('malformed_request');
  }
}

/** The cookie header that goes on; without it in the answer the proxy would send none. */
function keepCookie({ ctx, upstream }: Allow, headers: string[]): void {
  if (isSet(upstream.set, 'cookie') || upstream.remove.includes('cookie')) return;
  const cookies = ctx.request.headers.all('cookie');
  // Several fields are one list of crumbs (RFC 9113 8.2.3).
  if (cookies.length > 0) headers.push('cookie', headerBytes(cookies.join('; ')));
}

function denialHeaders({ status, headers, isLeftToProxy }: Refusal, { statuses }: Style): readonly string[] {
  const flat = headers.flatMap(([name, value]) => [name, headerBytes(value)]);
  const told = ['x-portcullis-status', String(status)];
  if (statuses === '401-403') return [...oneChallenge(flat), ...told];
  return sentStatus({ status, isLeftToProxy }, statuses) === status ? flat : [...flat, ...told];
}

function denyAnswer({ ctx, refusal }: Deny, headers: readonly string[], { statuses }: Style): Answer {
  const { body } = refusal;
  const text = body === undefined ? '' : bodyText(body, ctx.id);
  return {
    status: sentStatus(refusal, statuses),
    headers: statuses === '401-403' ? [...headers, 'x-portcullis-body', text] : headers,
    body: text,
  };
}

/** What the proxy gets to see. */
function sentStatus(
  { status, isLeftToProxy }: Pick<Refusal, 'status' | 'isLeftToProxy'>,
  statuses: Style['statuses'],
): number {
  if (statuses === '401-403') return status === 401 ? 401 : 403;
  // The operator leaves such an outage to the proxy's own failure mode.
  return statuses === 'no-5xx' && status >= 500 && !isLeftToProxy ? 403 : status;
}

/** nginx before 1.23 passes on one field of a name: challenges are a list, so they fit into one (RFC 9110 11.6.1). */
function oneChallenge(headers: readonly string[]): string[] {
  const challenges: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const [name, value] = [headers[at] as string, headers[at + 1] as string];
    if (name === 'www-authenticate') challenges.push(value);
    else rest.push(name, value);
  }
  return challenges.length === 0 ? rest : ['www-authenticate', challenges.join(', '), ...rest];
}
