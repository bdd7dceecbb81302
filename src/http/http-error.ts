/** Why a request failed: stable words for logs, metrics and status pages. */
export type HttpErrorCode =
  | 'invalid_url'
  | 'forbidden_scheme'
  | 'forbidden_address'
  | 'busy'
  | 'timeout'
  | 'aborted'
  | 'connection'
  | 'redirect'
  | 'status'
  | 'content_type'
  | 'content_encoding'
  | 'too_large'
  | 'invalid_json';

/**
 * A request that did not bring what was asked for. The message names origin and path only: a query, user information
 * or a body may hold a secret.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** The status that was answered, where one was. */
  readonly status: number | undefined;

  /**
   * @param code the stable word
   * @param message for the operator's log; must not hold a query, user information or a body
   */
  constructor(
    readonly code: HttpErrorCode,
    message: string,
    options: ErrorOptions & { readonly status?: number } = {},
  ) {
    super(message, options);
    this.status = options.status;
  }
}

/**
 * The `code` of an error, such as ECONNREFUSED. Recognized by shape: errors of Node's own come from another realm in tests.
 *
 * @param error anything that was thrown
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
