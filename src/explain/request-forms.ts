/**
 * The forms in which a request may be given to `explain`, all brought to a CheckRequest as proto3 JSON: a CheckRequest,
 * a line of the decision log, and a short form for people. A member that would be ignored is an error.
 */
import { RecordedRequestError } from '../fronts/envoy/recorded-request.js';
import { assertKnownMembers, CHECK_REQUEST, SHORT_FORM } from './request-members.js';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** What is put into the request in addition. */
export interface RequestAdditions {
  /** Names in lower case; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Name of the policy, as a route of Envoy would give it in `context_extensions`. */
  readonly policy?: string | undefined;
}

/** What a line of the decision log says came of the request. */
export interface LoggedDecision {
  readonly decision: string;
  readonly reason: string;
  /** Why, where the line has it: the requirement, and what was expected and found. */
  readonly details: Json;
}

/** A request that can be explained. */
export interface ReadRequest {
  /** A CheckRequest as proto3 JSON. */
  readonly checkRequest: Json;
  /** There for a line of the decision log, which holds no credential. */
  readonly logged: LoggedDecision | undefined;
}

/**
 * Reads a request in any of the forms.
 *
 * @param given parsed JSON, of the operator's own
 * @throws RecordedRequestError naming the member that is wrong, never its value
 */
export function readRequestForm(given: unknown, additions: RequestAdditions): ReadRequest {
  const object = asObject(given, 'the request');
  if (object.attributes !== undefined) {
    assertKnownMembers(object, CHECK_REQUEST);
    return { checkRequest: withAdditions(object, additions), logged: undefined };
  }
  const checkRequest = isLogLine(object) ? fromLogLine(object) : fromShortForm(object);
  return {
    checkRequest: withAdditions(checkRequest, additions),
    logged: isLogLine(object) ? loggedDecisionOf(object) : undefined,
  };
}

function isLogLine(object: Json): boolean {
  return typeof object.decision === 'string' && typeof object.reason === 'string';
}

function loggedDecisionOf({ decision, reason, requirement, expected, found }: Json): LoggedDecision {
  return {
    decision: String(decision),
    reason: String(reason),
    details: Object.fromEntries(
      Object.entries({ requirement, expected, found }).filter(([, value]) => value !== undefined),
    ),
  };
}

/** The log has the path without its query. Where Envoy chose the policy, it does so again. */
function fromLogLine(line: Json): Json {
  const { method, host, requestId } = line;
  if (line.headers !== undefined)
    throw new RecordedRequestError('a line of the decision log has no headers; give them with --header');
  const headers = typeof requestId === 'string' ? { 'x-request-id': requestId } : {};
  return {
    attributes: {
      request: { http: { method, path: pathOfLine(line), host, headers } },
      context_extensions: extensionsOfLine(line),
    },
  };
}

/** The log puts an ellipsis for what it leaves out, which raw is no path; encoded it is part of a name. */
function pathOfLine({ path, reason }: Json): unknown {
  return reason === 'ambiguous_path' ? path : String(path).replaceAll('\u2026', '%E2%80%A6');
}

/** Whichever way Envoy named the policy, this is the one that a recorded request has; no policy has an empty name. */
function extensionsOfLine({ chosenBy, policy, reason }: Json): Json {
  if (reason === 'unknown_policy') return { 'portcullis.policy': '' };
  const byEnvoy = chosenBy === 'extension' || chosenBy === 'metadata' || chosenBy === 'authority';
  return byEnvoy && typeof policy === 'string' ? { 'portcullis.policy': policy } : {};
}

const URL_PARTS = /^https?:\/\/([^/?#\s]+)(\/[^?#\s]*)?(\?[^#\s]*)?$/;

function fromShortForm(form: Json): Json {
  assertKnownMembers(form, SHORT_FORM);
  const { method, url, headers, policy } = form;
  if (typeof method !== 'string' || typeof url !== 'string')
    throw new RecordedRequestError(
      'the request must be a CheckRequest (with attributes), a line of the decision log, or { method, url, headers }',
    );
  const [, host, path = '/', query = ''] = URL_PARTS.exec(url) ?? [];
  if (host === undefined)
    throw new RecordedRequestError('url must be an http or https URL without credentials and fragment');
  if (policy !== undefined && typeof policy !== 'string')
    throw new RecordedRequestError('policy must be text');
  return {
    attributes: {
      // The path is taken as it is written: a parser of URLs would tidy up what the gate should refuse.
      request: { http: { method, path: path + query, host, header_map: { headers: entriesOf(headers) } } },
      context_extensions: policy === undefined ? {} : { 'portcullis.policy': policy },
    },
  };
}

/** @param headers name → text, or a list of texts for a header that comes several times */
function entriesOf(headers: unknown): { key: string; value: string }[] {
  return Object.entries(headers === undefined ? {} : asObject(headers, 'headers')).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).map((value: unknown) => {
      if (typeof value !== 'string') throw new RecordedRequestError('headers must hold text only');
      return { key: name.toLowerCase(), value };
    }),
  );
}

/** Adds headers where the request has its own: in the list, or in the map. */
function withAdditions(checkRequest: Json, { headers, policy }: RequestAdditions): Json {
  const withPolicy = policy === undefined ? checkRequest : addPolicy(checkRequest, policy);
  return headers.length === 0 ? withPolicy : addHeaders(withPolicy, headers);
}

function addPolicy(checkRequest: Json, policy: string): Json {
  const attributes = asObject(checkRequest.attributes, 'attributes');
  const extensions = attributes.context_extensions ?? attributes.contextExtensions ?? {};
  const { contextExtensions: _other, ...rest } = attributes;
  return {
    attributes: {
      ...rest,
      context_extensions: { ...asObject(extensions, 'context_extensions'), 'portcullis.policy': policy },
    },
  };
}

function addHeaders(checkRequest: Json, headers: RequestAdditions['headers']): Json {
  const attributes = asObject(checkRequest.attributes, 'attributes');
  const request = asObject(attributes.request ?? {}, 'attributes.request');
  const http = asObject(request.http ?? {}, 'attributes.request.http');
  const { headerMap, header_map: list = headerMap, headers: map, ...rest } = http;
  const present = list === undefined ? entriesOf(map ?? {}) : listOf(list);
  const added = headers.map(([key, value]) => ({ key, value }));
  return {
    attributes: {
      ...attributes,
      request: { ...request, http: { ...rest, header_map: { headers: [...present, ...added] } } },
    },
  };
}

function listOf(headerMap: unknown): readonly unknown[] {
  const { headers } = asObject(headerMap, 'header_map');
  if (!Array.isArray(headers)) throw new RecordedRequestError('header_map.headers must be a list');
  return headers;
}

function asObject(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordedRequestError(`${name} must be an object`);
  return value as Json;
}
