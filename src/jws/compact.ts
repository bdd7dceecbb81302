import type { JsonObject } from '../ports.js';
import { decodeBase64Url } from './base64url.js';
import { JwsRejection } from './jws-rejection.js';
import { JSON_LIMITS, parseStrictJsonText, readUtf8, type JsonLimits } from './strict-json.js';

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

/** The parts of a compact JWS: header and payload still encoded. */
export interface JwsSegments {
  readonly header: string;
  readonly payload: string;
  /** Both with their dot, as sent: what the signature is over. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
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
  const { header, payload, signingInput, signature } = splitCompactJws(text, limits.maxBytes);
  const json = limits.json ?? JSON_LIMITS;
  return {
    header: parseStrictJsonText(decodeText(header), json),
    payload: parseStrictJsonText(decodeText(payload), json),
    signingInput,
    signature,
  };
}

/**
 * Takes a compact JWS apart, for readers that know its header already or keep its payload.
 *
 * @param text untrusted
 * @throws JwsRejection too_large, not_compact, not_base64url (of the signature)
 */
export function splitCompactJws(text: string, maxBytes: number): JwsSegments {
  if (text.length > maxBytes) throw new JwsRejection('too_large');
  const headerEnd = text.indexOf('.');
  const payloadEnd = text.indexOf('.', headerEnd + 1);
  if (headerEnd <= 0 || payloadEnd <= headerEnd + 1 || payloadEnd === text.length - 1) {
    throw new JwsRejection('not_compact');
  }
  return {
    header: text.slice(0, headerEnd),
    payload: text.slice(headerEnd + 1, payloadEnd),
    signingInput: text.slice(0, payloadEnd),
    // A third dot is in no base64url alphabet, so it fails here.
    signature: decodeSegment(text.slice(payloadEnd + 1)),
  };
}

/**
 * Decodes a header or payload to the JSON text it should be; `parseStrictJsonText` says whether it is.
 *
 * @param segment of splitCompactJws(), untrusted
 * @throws JwsRejection not_base64url, not_utf8
 */
export function decodeText(segment: string): string {
  return readUtf8(decodeSegment(segment));
}

function decodeSegment(segment: string): Buffer {
  const bytes = decodeBase64Url(segment);
  if (bytes === undefined) throw new JwsRejection('not_base64url');
  return bytes;
}

const SMALL_E = 0x65;

/**
 * Has this text the outline of a compact JWS: three segments, none of them empty, and the first one begins as the
 * base64url of a brace does? Most of what is not a token ends here, before anything is hashed, decoded or thrown twice. Proves nothing.
 *
 * @param text untrusted
 */
export function hasJwsOutline(text: string): boolean {
  if (text.charCodeAt(0) !== SMALL_E) return false;
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 0 || second <= first + 1) return false;
  return second < text.length - 1 && !text.includes('.', second + 1);
}
