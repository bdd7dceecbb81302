/** The errors of the token, revocation and introspection endpoints (RFC 6749 5.2, RFC 8693 2.2.2, RFC 9449 5 and 8). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'insufficient_scope'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'server_error';

const STATUSES: Readonly<Partial<Record<OAuthErrorCode, 401 | 403 | 429 | 500 | 503>>> = {
  invalid_client: 401,
  insufficient_scope: 403,
  slow_down: 429,
  temporarily_unavailable: 503,
  server_error: 500,
};

/** A refusal of an endpoint: an answer, with nothing of the request in it. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';

  /**
   * @param description for the developer of the client; no credential, no claim's value
   * @param headers further fields of the answer
   */
  constructor(
    readonly code: OAuthErrorCode,
    readonly description: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${code}: ${description}`);
  }

  /** The HTTP status. */
  get status(): 400 | 401 | 403 | 429 | 500 | 503 {
    return STATUSES[this.code] ?? 400;
  }
}
