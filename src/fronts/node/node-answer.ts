/** Puts a decision into a request and a response of node:http. */
import type { HeaderPair } from '../../authz/types.js';
import type { GateAllow, GateDeny } from './auth.js';
import type { NodeRequest } from './node-request.js';
import { withoutParameters } from './query-parameters.js';

/** What is written to: a ServerResponse, or a Http2ServerResponse. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string | readonly string[]): unknown;
  getHeader(name: string): number | string | string[] | undefined;
  end(body?: string): unknown;
}

/**
 * Changes a request into what its handler may see: identity is set, and what could pass for identity, or was a credential, is
 * gone from `headers`, `rawHeaders` and `url`.
 */
export function changeNodeRequest(
  request: NodeRequest,
  { setHeaders, removeHeaders, removeQuery }: GateAllow,
): void {
  const gone = new Set([...removeHeaders, ...setHeaders.map(([name]) => name)]);
  const raw: string[] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(index, index + 2);
    if (!gone.has(name.toLowerCase())) raw.push(name, value);
  }
  for (const name of gone) delete request.headers[name];
  for (const [name, value] of setHeaders) {
    request.headers[name] = value;
    raw.push(name, value);
  }
  request.rawHeaders = raw;
  if (removeQuery.length === 0) return;
  if (request.url !== undefined) request.url = withoutParameters(request.url, removeQuery);
  if (request.originalUrl !== undefined)
    request.originalUrl = withoutParameters(request.originalUrl, removeQuery);
}

/** Adds fields beside those of the handler. A second decision on the same request replaces its own nonce. */
export function addNodeHeaders(response: NodeResponse, headers: readonly HeaderPair[]): void {
  for (const [name, value] of headers) {
    if (name === 'dpop-nonce') response.setHeader(name, value);
    else appendField(response, name, value);
  }
}

/** Answers for the handler. */
export function refuseNode(response: NodeResponse, { status, headers, body }: GateDeny): void {
  response.statusCode = status;
  addNodeHeaders(response, headers);
  response.end(body);
}

/** As ServerResponse.appendHeader, which HTTP/2 lacks. */
function appendField(response: NodeResponse, name: string, value: string): void {
  response.setHeader(name, withField(response.getHeader(name), value));
}

/**
 * Fields of one name, such as two challenges.
 *
 * @param present what the response has under that name already
 */
export function withField(
  present: number | string | readonly string[] | undefined,
  value: string,
): string | string[] {
  return present === undefined ? value : [present, value].flat().map(String);
}
