import type { Denial } from '../authz/denial.js';

/** A token or proof that is refused, with the code of the denial catalogue. Holds nothing of the token. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';
  /** Of the denial catalogue, such as `expired_token`. */
  readonly code: string;
  /** The HTTP status that the gate answers such a request with; 503 where a dependency is out of reach. */
  readonly status: number;
  /** `error` of RFC 6750 3.1 and RFC 9449 7.1; undefined: the answer would have none. */
  readonly error: string | undefined;
  /** A fresh DPoP nonce, with `dpop_nonce_required`. */
  readonly nonce: string | undefined;
  /** Seconds until asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor({ code, entry, details }: Denial) {
    super(entry.text);
    this.code = code;
    this.status = entry.http;
    this.error = entry.error;
    this.nonce = details.nonce;
    this.retryAfter = details.retryAfterS;
  }
}
