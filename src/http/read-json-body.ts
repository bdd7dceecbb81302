import { type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { JsonObject } from '../ports.js';
import { errorCode, HttpError } from './http-error.js';
import { isDeeperThan } from './json-depth.js';

/** A response's header fields, names in lower case; several of one name are a list. */
export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/;

/** Far beyond what an issuer writes. What is nested very deeply cannot be handed to a worker, or be written again. */
const MAX_DEPTH = 32;

/** What bounds the reading of a body. */
export interface BodyLimits {
  /** The most bytes, before and after decompression. */
  readonly maxBytes: number;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** How messages call the request. */
  readonly name: string;
}

/**
 * Asserts that a response claims to be JSON, in an encoding that can be bounded.
 *
 * @param headers of the response, untrusted
 * @param name how messages call the request
 * @throws HttpError `content_type`, `content_encoding`
 */
export function assertJsonHeaders(headers: HttpHeaders, name: string): void {
  if (!JSON_TYPE.test(mediaTypeOf(headers)))
    throw new HttpError('content_type', `${name}: the answer is not JSON`);
  assertEncoding(headers, name);
}

/**
 * Asserts that a response is of one media type, in an encoding that can be bounded.
 *
 * @param headers of the response, untrusted
 * @param type in lower case, without parameters; `application/json` stands for all JSON types
 * @param name how messages call the request
 * @throws HttpError `content_type`, `content_encoding`
 */
export function assertMediaType(headers: HttpHeaders, type: string, name: string): void {
  if (type === 'application/json') {
    assertJsonHeaders(headers, name);
    return;
  }
  if (mediaTypeOf(headers) !== type)
    throw new HttpError('content_type', `${name}: the answer is not ${type}`);
  assertEncoding(headers, name);
}

function assertEncoding(headers: HttpHeaders, name: string): void {
  if (contentEncoding(headers) === undefined) {
    throw new HttpError('content_encoding', `${name}: the answer has an encoding that was not asked for`);
  }
}

function mediaTypeOf(headers: HttpHeaders): string {
  const type = headers['content-type'];
  return typeof type === 'string' ? (type.split(';', 1)[0] ?? '').trim().toLowerCase() : '';
}

/**
 * Reads a body as one JSON object of bounded depth. The cap holds for the bytes on the wire and for those that come out of
 * gzip. Duplicate members are not found.
 *
 * @param body the stream, untrusted; it is destroyed on failure
 * @param headers the response's, passed by `assertJsonHeaders`
 * @returns the object
 * @throws HttpError `too_large`, `invalid_json`; what the stream throws
 */
export async function readJsonBody(
  body: Readable,
  headers: HttpHeaders,
  limits: BodyLimits,
): Promise<JsonObject> {
  return parseObject(await readBody(body, headers, limits), limits.name);
}

/**
 * Reads a body. The cap holds for the bytes on the wire and for those that come out of gzip.
 *
 * @param body the stream, untrusted; it is destroyed on failure
 * @param headers the response's, passed by `assertEncoding`
 * @throws HttpError `too_large`; what the stream throws
 */
export async function readBody(body: Readable, headers: HttpHeaders, limits: BodyLimits): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of capped(source, limits)) chunks.push(chunk);
  };
  const { signal } = limits;
  if (contentEncoding(headers) === 'gzip') {
    const wire = (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> => capped(source, limits);
    const gunzip: Transform = createGunzip();
    await pipeline(body, wire, gunzip, collect, { signal }).catch((error: unknown) => {
      throw isZlibError(error)
        ? new HttpError('content_encoding', `${limits.name}: the answer is not valid gzip`)
        : error;
    });
  } else {
    await pipeline(body, collect, { signal });
  }
  return Buffer.concat(chunks);
}

async function* capped(
  source: AsyncIterable<Uint8Array>,
  { maxBytes, name }: BodyLimits,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxBytes)
      throw new HttpError('too_large', `${name}: the answer is larger than ${maxBytes} bytes`);
    yield chunk;
  }
}

function contentEncoding(headers: HttpHeaders): 'identity' | 'gzip' | undefined {
  const value = headers['content-encoding'];
  if (value === undefined || value === '') return 'identity';
  if (typeof value !== 'string') return undefined;
  const coding = value.trim().toLowerCase();
  if (coding === 'identity') return 'identity';
  return coding === 'gzip' || coding === 'x-gzip' ? 'gzip' : undefined;
}

function isZlibError(error: unknown): boolean {
  return errorCode(error)?.startsWith('Z_') === true;
}

function parseObject(bytes: Buffer, name: string): JsonObject {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = isDeeperThan(text, MAX_DEPTH) ? undefined : JSON.parse(text);
  } catch {
    // The parser's message quotes the body.
    throw new HttpError('invalid_json', `${name}: the answer is not valid JSON`);
  }
  if (value === undefined) {
    throw new HttpError('invalid_json', `${name}: the answer is nested more than ${MAX_DEPTH} levels deep`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError('invalid_json', `${name}: the answer is not a JSON object`);
  }
  return value as JsonObject;
}
