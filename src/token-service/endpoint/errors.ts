import type { Context } from 'hono';
import { KeysUnavailableError } from '../../jwks/types.js';
import type { Logger } from '../../ports.js';
import { RevocationsFullError, RevocationStoreUnavailableError } from '../../revocation/revocation-store.js';
import { ReplayUnavailableError } from '../../stores/replay-store.js';
import { InvalidTokenError, TooManyFailuresError } from '../authenticator.js';
import { OAuthError } from '../oauth-error.js';
import { ScryptBusyError } from '../scrypt-queue.js';
import { StoreUnavailableError } from '../store.js';

/** Stores and queues come back in seconds. */
const RETRY_AFTER_S = 1;

/**
 * Turns whatever was thrown into the endpoint's error. What is not known becomes `server_error`, with its cause in the
 * log and nowhere else.
 */
export function toOAuthError(error: unknown, logger: Logger): OAuthError {
  if (error instanceof OAuthError) return error;
  if (error instanceof InvalidTokenError)
    return new OAuthError('invalid_client', 'client authentication failed');
  if (error instanceof TooManyFailuresError) {
    return new OAuthError('slow_down', 'too many failed attempts', {
      'retry-after': String(error.retryAfterS),
    });
  }
  const isOutage =
    error instanceof ScryptBusyError ||
    error instanceof StoreUnavailableError ||
    error instanceof ReplayUnavailableError ||
    error instanceof KeysUnavailableError ||
    error instanceof RevocationsFullError ||
    error instanceof RevocationStoreUnavailableError;
  if (isOutage) {
    logger.warn({ err: error }, 'token endpoint unavailable');
    const retryAfterS = error instanceof KeysUnavailableError ? error.retryAfterS : RETRY_AFTER_S;
    return new OAuthError('temporarily_unavailable', 'try again later', {
      'retry-after': String(retryAfterS),
    });
  }
  logger.error({ err: error }, 'internal error in the token endpoint');
  return new OAuthError('server_error', 'internal error');
}

/** Answers with an error (RFC 6749 5.2). */
export function answerError(c: Context, error: OAuthError): Response {
  const body = { error: error.code, error_description: error.description };
  return c.json(body, error.status, { 'cache-control': 'no-store', ...error.headers });
}
