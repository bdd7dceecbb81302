import type { Context } from 'hono';
import type { Logger } from '../../ports.js';
import { RevocationsFullError, RevocationStoreUnavailableError } from '../../revocation/revocation-store.js';
import { InvalidTokenError, TooManyFailuresError } from '../authenticator.js';
import { ScryptBusyError } from '../scrypt-queue.js';
import { StoreUnavailableError, TokenListFullError } from '../store.js';

const STATUSES = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  server_error: 500,
  unavailable: 503,
} as const;

/** A refusal of the admin API. */
export class AdminError extends Error {
  override readonly name = 'AdminError';

  /**
   * @param details for a person; no credential
   * @param headers further fields of the answer
   */
  constructor(
    readonly code: keyof typeof STATUSES,
    readonly details: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${code}: ${details}`);
  }

  /** The HTTP status. */
  get status(): (typeof STATUSES)[keyof typeof STATUSES] {
    return STATUSES[this.code];
  }
}

/** Turns whatever was thrown into an error of the API. What is not known is logged, and nothing of it is said. */
export function toAdminError(error: unknown, logger: Logger): AdminError {
  if (error instanceof AdminError) return error;
  if (error instanceof InvalidTokenError)
    return new AdminError('unauthorized', 'the token is not valid', { 'www-authenticate': 'Bearer' });
  if (error instanceof TooManyFailuresError) {
    return new AdminError('too_many_requests', 'too many failed attempts', {
      'retry-after': String(error.retryAfterS),
    });
  }
  if (error instanceof TokenListFullError) return new AdminError('invalid_request', error.message);
  const isOutage =
    error instanceof ScryptBusyError ||
    error instanceof StoreUnavailableError ||
    error instanceof RevocationsFullError ||
    error instanceof RevocationStoreUnavailableError;
  if (isOutage) {
    logger.warn({ err: error }, 'admin API unavailable');
    return new AdminError('unavailable', 'try again later', { 'retry-after': '1' });
  }
  logger.error({ err: error }, 'internal error in the admin API');
  return new AdminError('server_error', 'internal error');
}

/** Answers with an error. */
export function answerAdminError(c: Context, error: AdminError): Response {
  const body = { error: error.code, details: error.details };
  return c.json(body, error.status, { 'cache-control': 'no-store', ...error.headers });
}
