import type { KnownRevocations } from '../authz/stages/check-revocation.js';
import { Denial } from '../authz/denial.js';
import type { TokenVerifier } from '../authz/token/types.js';
import type { VerifiedToken } from '../authz/types.js';
import type { Clock } from '../ports.js';
import { toVerified } from './issued-revocations.js';
import { OAuthError } from './oauth-error.js';
import type { JudgeOwnToken } from './own-tokens.js';

/** What tokens are verified with that are to be exchanged. */
export interface ExchangeableTokensOptions {
  /** Of `exchange.issuers`, and of no other issuer. Asks an issuer that introspects, as a Check does. */
  readonly verifier: TokenVerifier;
  /** undefined: our own tokens may not be exchanged. */
  readonly judgeOwnToken: JudgeOwnToken | undefined;
  /** `tokens.issuer` */
  readonly issuer: string;
  /** Does this look like an opaque token of ours? It is shown to no other issuer then. */
  readonly isOwn: (text: string) => boolean;
  readonly revocations: KnownRevocations;
  /** How long revocations may have been missed, milliseconds. */
  readonly maxStaleMs: number;
  /** For how long a token without `exp` counts, milliseconds. */
  readonly answerTtlMs: (issuer: string) => number;
  readonly clock: Clock;
}

/** A token that may be exchanged, and when what it gives must end, seconds since the epoch. */
export interface ExchangeableToken extends VerifiedToken {
  readonly endsAtS: number;
}

/**
 * Creates the verification of subject and actor tokens (RFC 8693 2.1): all checks of a Check up to revocation, and none of
 * their binding.
 *
 * @returns rejects with OAuthError invalid_request, temporarily_unavailable
 */
export function createExchangeableTokens(
  options: ExchangeableTokensOptions,
): (token: string) => Promise<ExchangeableToken> {
  const { verifier, judgeOwnToken, issuer, isOwn, revocations, clock } = options;
  return async (text) => {
    const own = await judgeOwnToken?.(text);
    if (own !== undefined) return withEnd(toVerified(own.claims, { issuer, text }), options);
    if (isOwn(text)) throw unacceptable();
    const token = await verify(verifier, text, clock.now());
    const nowMs = clock.now();
    if (revocations.isRevoked(token, text, nowMs)) throw unacceptable();
    if (revocations.staleForMs(nowMs) > options.maxStaleMs) throw unavailable(1);
    return withEnd(token, options);
  };
}

async function verify(verifier: TokenVerifier, text: string, nowMs: number): Promise<VerifiedToken> {
  try {
    return await verifier.verify(text, nowMs);
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    throw error.entry.http === 503 ? unavailable(error.details.retryAfterS ?? 1) : unacceptable();
  }
}

function withEnd(token: VerifiedToken, { answerTtlMs, clock }: ExchangeableTokensOptions): ExchangeableToken {
  const { expiresAtS, issuer } = token;
  return { ...token, endsAtS: expiresAtS ?? Math.floor((clock.now() + answerTtlMs(issuer)) / 1000) };
}

function unavailable(retryAfterS: number): OAuthError {
  return new OAuthError('temporarily_unavailable', 'try again later', { 'retry-after': String(retryAfterS) });
}

/** RFC 8693 2.2.2 */
function unacceptable(): OAuthError {
  return new OAuthError('invalid_request', 'the subject or actor token is not acceptable');
}
