/**
 * A recorded request → the bytes of a CheckRequest. Two forms are taken: a CheckRequest as proto3 JSON, with names in
 * either spelling, and a line of the decision log, which has no headers and so no credential.
 */
import { encodeOnce } from './wire/writer.js';

function encodeText(field: number, value: string): Buffer {
  return encodeOnce((w) => w.text(field, value));
}

function encodeMessage(field: number, parts: readonly Buffer[]): Buffer {
  return encodeOnce((w) => {
    const mark = w.mark();
    w.encoded(Buffer.concat(parts));
    w.endMessage(field, mark);
  });
}

/** What a recorded request can not be used for. The message names the member, never its value. */
export class RecordedRequestError extends Error {
  override readonly name = 'RecordedRequestError';
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a recorded request.
 *
 * @param recorded parsed JSON, of the operator's own
 * @returns a CheckRequest for `parseRequest`
 * @throws RecordedRequestError when it is neither form
 */
export function encodeRecordedRequest(recorded: unknown): Buffer {
  const object = asObject(recorded, 'the file');
  if (object.attributes !== undefined) return encodeAttributes(asObject(object.attributes, 'attributes'));
  if (typeof object.method === 'string' && typeof object.path === 'string') return encodeLogLine(object);
  throw new RecordedRequestError(
    'the file must hold a CheckRequest (with attributes) or a line of the decision log (with method and path)',
  );
}

/** The log has told the path without its query. Where Envoy chose the policy, it does so again. */
function encodeLogLine(line: Json): Buffer {
  const { method, host, requestId } = line;
  const headers = typeof requestId === 'string' ? { 'x-request-id': requestId } : {};
  return encodeAttributes({
    request: { http: { method, path: pathOfLine(line), host, headers } },
    context_extensions: extensionsOfLine(line),
  });
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

function encodeAttributes(attributes: Json): Buffer {
  const source = optionalObject(attributes.source, 'attributes.source');
  const request = optionalObject(attributes.request, 'attributes.request');
  const parts = [
    ...(source === undefined
      ? []
      : [encodeMessage(1, textFields([[5, source.certificate]], 'attributes.source'))]),
    ...(request === undefined ? [] : [encodeMessage(4, encodeRequest(request))]),
    ...encodeMap(10, either(attributes, 'context_extensions', 'contextExtensions'), 'context_extensions'),
  ];
  return encodeMessage(1, parts);
}

function encodeRequest(request: Json): Buffer[] {
  const http = optionalObject(request.http, 'attributes.request.http');
  if (http === undefined) return [];
  const headerMap = optionalObject(either(http, 'header_map', 'headerMap'), 'header_map');
  return [
    encodeMessage(2, [
      ...textFields(
        [
          [2, http.method],
          [4, http.path],
          [5, http.host],
        ],
        'attributes.request.http',
      ),
      ...encodeMap(3, http.headers, 'headers'),
      ...(headerMap === undefined ? [] : [encodeMessage(13, encodeHeaderMap(headerMap))]),
    ]),
  ];
}

function encodeHeaderMap({ headers }: Json): Buffer[] {
  if (!Array.isArray(headers)) throw new RecordedRequestError('header_map.headers must be a list');
  return headers.map((entry: unknown) => {
    const header = asObject(entry, 'an entry of header_map.headers');
    const raw = either(header, 'raw_value', 'rawValue');
    const value = typeof raw === 'string' ? Buffer.from(raw, 'base64').toString('utf8') : header.value;
    return encodeMessage(
      1,
      textFields(
        [
          [1, header.key],
          [2, value],
        ],
        'header_map.headers',
      ),
    );
  });
}

function encodeMap(field: number, map: unknown, name: string): Buffer[] {
  const entries = Object.entries(optionalObject(map, name) ?? {});
  return entries.map(([key, value]) =>
    encodeMessage(
      field,
      textFields(
        [
          [1, key],
          [2, value],
        ],
        name,
      ),
    ),
  );
}

function textFields(fields: readonly (readonly [field: number, value: unknown])[], name: string): Buffer[] {
  return fields.flatMap(([field, value]) => {
    if (value === undefined) return [];
    if (typeof value !== 'string') throw new RecordedRequestError(`${name} must hold text only`);
    return [encodeText(field, value)];
  });
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
