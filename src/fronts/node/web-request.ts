/** Reads and changes requests of the Fetch standard, for servers that are built on them. */
import type { GateAllow, GateDeny } from './auth.js';
import type { GateRequest } from './front.js';
import { withoutParameters } from './query-parameters.js';

/** What an adapter knows beside the request. Trusted. */
export interface WebFacts {
  readonly hasLooseRouting: boolean;
}

/**
 * Reads a request. Its headers are joined where a name came twice, and a joined credential or proof is refused; its URL is what
 * the handler is routed by. Headers of proxies are never read.
 */
export function readWebRequest(request: Request, { hasLooseRouting }: WebFacts): GateRequest {
  const [, authority = '', target = '/'] = /^[a-z]+:\/\/([^/?#]*)([^#]*)/i.exec(request.url) ?? [];
  return {
    method: request.method,
    target: target.startsWith('/') ? target : `/${target}`,
    host: request.headers.get('host') ?? authority,
    headers: request.headers,
    hasLooseRouting,
  };
}

/** @returns the request as its handler may see it; the body goes over to it */
export function changeWebRequest(request: Request, allow: GateAllow): Request {
  const { removeHeaders, setHeaders, removeQuery } = allow;
  const headers = new Headers(request.headers);
  for (const name of removeHeaders) headers.delete(name);
  for (const [name, value] of setHeaders) headers.set(name, value);
  const changed = new Request(request, { headers });
  if (removeQuery.length === 0) return changed;
  return new Request(withoutParameters(request.url, removeQuery), changed);
}

/** @returns the answer of a denied request */
export function webRefusal({ status, headers, body }: GateDeny): Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  return new Response(body ?? null, { status, headers: fields });
}
