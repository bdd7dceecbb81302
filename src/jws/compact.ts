import type { JsonObject } from '../ports.js';
import { decodeBase64Url } from './base64url.js';
import { JwsRejection } from './jws-rejection.js';
import { JSON_LIMITS, parseStrictJsonObject, type JsonLimits } from './strict-json.js';

/** A compact JWS that could be read in one way only. Nothing in it is verified. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** Header and payload segments with their dot, as sent: what the signature is over. ASCII. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/** Bounds of a compact JWS from outside. */
export interface JwsLimits {
  /** Of the whole text; it is ASCII where it is valid, so bytes and characters are one. */
  readonly maxBytes: number;
  /** Of header and payload, each. */
  readonly json?: JsonLimits;
}

/**
 * Reads a compact JWS strictly: exactly three canonical base64url segments, header and payload JSON objects that can
 * be read in one way only. Does not look at any header member or claim, and verifies nothing: `none` is for the header
 * rules, though its empty signature is refused here already.
 *
 * @param text untrusted
 * @throws JwsRejection
 * @see RFC 7515 sections 3.1, 5.2 and 10.12
 */
export function parseCompactJws(text: string, limits: JwsLimits): CompactJws {
  if (text.length > limits.maxBytes) throw new JwsRejection('too_large');
  const headerEnd = text.indexOf('.');
  const payloadEnd = text.indexOf('.', headerEnd + 1);
  if (headerEnd <= 0 || payloadEnd <= headerEnd + 1 || payloadEnd === text.length - 1) {
    throw new JwsRejection('not_compact');
  }
  // A third dot is in no base64url alphabet, so it fails in the last segment.
  const signature = decodeSegment(text.slice(payloadEnd + 1));
  const json = limits.json ?? JSON_LIMITS;
  const header = parseStrictJsonObject(decodeSegment(text.slice(0, headerEnd)), json);
  const payload = parseStrictJsonObject(decodeSegment(text.slice(headerEnd + 1, payloadEnd)), json);
  return { header, payload, signingInput: text.slice(0, payloadEnd), signature };
}

function decodeSegment(segment: string): Buffer {
  const bytes = decodeBase64Url(segment);
  if (bytes === undefined) throw new JwsRejection('not_base64url');
  return bytes;
}

const SMALL_E = 0x65;

/**
 * Has this text the outline of a compact JWS: two dots, and a first segment that begins as the base64url of a brace
 * does? Most of what is not a token ends here, before anything is hashed, decoded or thrown twice. Proves nothing.
 *
 * @param text untrusted
 */
export function hasJwsOutline(text: string): boolean {
  if (text.charCodeAt(0) !== SMALL_E) return false;
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  return first > 0 && second > first && !text.includes('.', second + 1);
}
