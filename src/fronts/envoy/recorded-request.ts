/** A CheckRequest as proto3 JSON, with names in either spelling → its bytes. */
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

/** What a recorded request cannot be used for. The message names the member, never its value. */
export class RecordedRequestError extends Error {
  override readonly name = 'RecordedRequestError';
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a recorded request.
 *
 * @param recorded parsed JSON, of the operator's own
 * @returns a CheckRequest for `parseRequest`
 * @throws RecordedRequestError when it is no CheckRequest
 */
export function encodeRecordedRequest(recorded: unknown): Buffer {
  const object = asObject(recorded, 'the request');
  if (object.attributes !== undefined) return encodeAttributes(asObject(object.attributes, 'attributes'));
  throw new RecordedRequestError('the request must be a CheckRequest, with attributes');
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
