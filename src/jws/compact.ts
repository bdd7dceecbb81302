import type { JsonObject } from '../ports.js';
import { decodeBase64Url } from './base64url.js';
import { JwsRejection } from './jws-rejection.js';
import { parseStrictJsonObject, readUtf8 } from './strict-json.js';

/** The parts of a compact JWS: header and payload still encoded. */
export interface JwsSegments {
  readonly header: string;
  readonly payload: string;
  /** Both with their dot, as sent: what the signature is over. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/**
 * Takes a compact JWS apart, strictly: exactly three segments, none of them empty, the signature canonical base64url. Does
 * not look at header and payload, which `readJson` reads, and verifies nothing: `none` is for the header rules, though
 * its empty signature is refused here already.
 *
 * @param text untrusted
 * @param maxBytes of the whole text; it is ASCII where it is valid, so bytes and characters are one
 * @throws JwsRejection too_large, not_compact, not_base64url
 * @see RFC 7515 sections 3.1, 5.2 and 10.12
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
 * Reads a header or payload: canonical base64url of a JSON object that can be read in one way only.
 *
 * @param segment of splitCompactJws(), untrusted
 * @throws JwsRejection
 */
export function readJson(segment: string): JsonObject {
  return parseStrictJsonObject(decodeSegment(segment));
}

/**
 * Decodes a payload to the JSON text it should be, for callers that keep the text; `parseStrictJsonText` says whether it is valid.
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
