import { Denial } from '../authz/denial.js';
import type { TokenVerifier } from '../authz/token/types.js';
import type { VerifiedToken } from '../authz/types.js';
import type { Clock } from '../ports.js';
import { toVerified } from './issued-revocations.js';
import { OAuthError } from './oauth-error.js';
import type { JudgeOwnToken } from './own-tokens.js';

/** What tokens are verified with that are to be exchanged. */
export interface ExchangeableTokensOptions {
  /** Of `exchange.issuers`, and of nobody else. */
  readonly verifier: TokenVerifier;
  /** undefined: our own tokens may not be exchanged. */
  readonly judgeOwnToken: JudgeOwnToken | undefined;
  /** `tokens.issuer` */
  readonly issuer: string;
  readonly isRevoked: (token: VerifiedToken, text: string) => boolean;
  readonly clock: Clock;
}

/**
 * Creates the verification of subject and actor tokens (RFC 8693 2.1): all checks of a Check up to revocation, and none of
 * their binding.
 */
export function createExchangeableTokens(
  options: ExchangeableTokensOptions,
): (token: string) => Promise<VerifiedToken> {
  const { verifier, judgeOwnToken, issuer, isRevoked, clock } = options;
  return async (text) => {
    const own = await judgeOwnToken?.(text);
    if (own !== undefined) return toVerified(own.claims, { issuer, text });
    try {
      const token = await verifier.verify(text, clock.now());
      if (!isRevoked(token, text)) return token;
    } catch (error) {
      throw toOAuthError(error);
    }
    throw unacceptable();
  };
}

function toOAuthError(error: unknown): unknown {
  if (!(error instanceof Denial)) return error;
  if (error.entry.http !== 503) return unacceptable();
  const retryAfterS = error.details.retryAfterS ?? 1;
  return new OAuthError('temporarily_unavailable', 'try again later', { 'retry-after': String(retryAfterS) });
}

/** RFC 8693 2.2.2 */
function unacceptable(): OAuthError {
  return new OAuthError('invalid_request', 'the subject or actor token is not acceptable');
}
