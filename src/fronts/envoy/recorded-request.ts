/** A CheckRequest as proto3 JSON, with names in either spelling → the request that is decided on. */
import { createRequest, type RequestInput } from '../../authz/create-request.js';
import type { AuthzRequest } from '../../authz/types.js';

/** What a recorded request cannot be used for. The message names the member, never its value. */
export class RecordedRequestError extends Error {
  override readonly name = 'RecordedRequestError';
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a recorded request.
 *
 * @param recorded parsed JSON, of the operator's own
 * @throws RecordedRequestError when it is no CheckRequest
 * @throws Denial malformed_request, as the decoder of live requests
 */
export function readRecordedRequest(recorded: unknown): AuthzRequest {
  const object = asObject(recorded, 'the request');
  if (object.attributes !== undefined)
    return createRequest(inputOf(asObject(object.attributes, 'attributes')));
  throw new RecordedRequestError('the request must be a CheckRequest, with attributes');
}

function inputOf(attributes: Json): RequestInput {
  const source = optionalObject(attributes.source, 'attributes.source') ?? {};
  const request = optionalObject(attributes.request, 'attributes.request') ?? {};
  const http = optionalObject(request.http, 'attributes.request.http') ?? {};
  const target = textOf(http.path, 'attributes.request.http') ?? '';
  const raw = rawFieldsOf(http);
  const targets = (raw ?? []).filter(([name]) => name === ':path').map(([, value]) => value);
  const certificate = textOf(source.certificate, 'attributes.source');
  const extensions = either(attributes, 'context_extensions', 'contextExtensions');
  return {
    method: textOf(http.method, 'attributes.request.http') ?? '',
    target,
    host: textOf(http.host, 'attributes.request.http') ?? '',
    headers: raw ?? textEntries(http.headers, 'headers'),
    peerCertificate: certificate === '' ? undefined : certificate,
    contextExtensions: Object.fromEntries(textEntries(extensions, 'context_extensions')),
    // Two of them are as bad as one that differs.
    hasTrueTarget: targets.length === 0 || (targets.length === 1 && targets[0] === target),
  };
}

/** The fields of `header_map`; undefined: there is none. */
function rawFieldsOf(http: Json): (readonly [string, string])[] | undefined {
  const headerMap = optionalObject(either(http, 'header_map', 'headerMap'), 'header_map');
  if (headerMap === undefined) return undefined;
  const { headers } = headerMap;
  if (!Array.isArray(headers)) throw new RecordedRequestError('header_map.headers must be a list');
  return headers.map((entry: unknown) => {
    const header = asObject(entry, 'an entry of header_map.headers');
    const raw = either(header, 'raw_value', 'rawValue');
    const value = typeof raw === 'string' ? Buffer.from(raw, 'base64').toString('utf8') : header.value;
    const name = textOf(header.key, 'header_map.headers') ?? '';
    return [name.toLowerCase(), textOf(value, 'header_map.headers') ?? ''] as const;
  });
}

function textEntries(map: unknown, name: string): (readonly [string, string])[] {
  const entries = Object.entries(optionalObject(map, name) ?? {});
  return entries.map(([key, value]) => [key, textOf(value, name) ?? ''] as const);
}

function textOf(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new RecordedRequestError(`${name} must hold text only`);
  return value;
}

function either(object: Json, snake: string, camel: string): unknown {
  return object[snake] ?? object[camel];
}

function optionalObject(value: unknown, name: string): Json | undefined {
  return value === undefined || value === null ? undefined : asObject(value, name);
}

function asObject(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordedRequestError(`${name} must be an object`);
  }
  return value as Json;
}
