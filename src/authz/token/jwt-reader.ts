import { LRUCache } from 'lru-cache';
import { decodeText, readJson, splitCompactJws, type JwsSegments } from '../../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../../jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import type { JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';

/** Header faults have denials of their own; everything else is a text that is not a JWS. */
const HEADER_DENIALS: Readonly<Partial<Record<JwsRejectionCode, DenialCode>>> = {
  too_large: 'token_too_large',
  bad_algorithm: 'unsupported_algorithm',
  bad_kid: 'invalid_token_header',
  bad_type: 'invalid_token_header',
  critical_header: 'invalid_token_header',
  unsupported_header: 'invalid_token_header',
};

/** Header texts that are remembered: an issuer writes the same one until it changes its key. */
const MAX_HEADERS = 1000;
const MAX_HEADER_CHARS = 1024;

/** A header that was read. Its rules are applied on each use. */
export interface TokenHeader {
  readonly raw: JsonObject;
  readonly header: JoseHeader;
}

/** A JWT that was read. Not verified. */
export interface ReadJwt {
  readonly jws: JwsSegments;
  readonly header: TokenHeader;
  /** The payload as JSON text. */
  readonly text: string;
  readonly claims: JsonObject;
}

/** Reads JWTs, and remembers headers. */
export class JwtReader {
  /** By their text, and only those that a good signature covered, so that garbage cannot evict headers in use. */
  readonly #headers = new LRUCache<string, TokenHeader>({ max: MAX_HEADERS });

  /** @param maxTokenBytes of the whole token */
  constructor(private readonly maxTokenBytes: number) {}

  /**
   * Is the first segment the base64url of a JSON object? Nothing else is asked of it here.
   *
   * @param token with the outline of a JWS, untrusted
   */
  hasJsonHeader(token: string): boolean {
    const segment = token.slice(0, token.indexOf('.'));
    if (this.#headers.has(segment)) return true;
    try {
      const header: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
      return typeof header === 'object' && header !== null && !Array.isArray(header);
    } catch {
      return false;
    }
  }

  /**
   * Reads a token strictly.
   *
   * @throws Denial token_too_large, malformed_token, unsupported_algorithm, invalid_token_header
   */
  read(token: string): ReadJwt {
    try {
      const jws = splitCompactJws(token, this.maxTokenBytes);
      const header = this.#headers.get(jws.header) ?? readTokenHeader(jws.header);
      const text = decodeText(jws.payload);
      return { jws, header, text, claims: parseStrictJsonText(text) };
    } catch (error) {
      if (error instanceof JwsRejection) throw new Denial(HEADER_DENIALS[error.code] ?? 'malformed_token');
      throw error;
    }
  }

  /** Remembers the header of a token whose signature is good. */
  keepHeader({ jws, header }: ReadJwt): void {
    if (jws.header.length > MAX_HEADER_CHARS || this.#headers.has(jws.header)) return;
    // A slice would keep the whole request alive.
    this.#headers.set(Buffer.from(jws.header, 'latin1').toString('latin1'), header);
  }
}

function readTokenHeader(segment: string): TokenHeader {
  const raw = readJson(segment);
  return { raw, header: readJoseHeader(raw) };
}
