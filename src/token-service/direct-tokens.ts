import type { AskPersonalToken, PersonalTokenAnswer } from '../authz/token/personal.js';
import type { Clock, JsonObject, Logger } from '../ports.js';
import type { Authenticator } from './authenticator.js';
import { grantOf } from './grants/client-credentials.js';
import type { IssuedRevocations } from './own-tokens.js';
import { ScryptBusyError } from './scrypt-queue.js';
import { StoreUnavailableError, type TokenRecord } from './store.js';

/** What personal access tokens at Checks are verified with. */
export interface DirectTokensOptions {
  /** With a queue of its own. */
  readonly authenticator: Authenticator;
  readonly revocations: Pick<IssuedRevocations, 'untilIssuable'>;
  /** `tokens.issuer` */
  readonly issuer: string;
  /** `tokens.audiences` */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_AFTER_S = 1;

/**
 * Creates the answers to processes that meet personal access tokens at Checks. The claims are those of a JWT that would be
 * issued now, so that a revocation counts for what was verified before it, and not after a restore.
 */
export function createDirectTokens(options: DirectTokensOptions): AskPersonalToken {
  const { authenticator, revocations, logger } = options;
  return async (text): Promise<PersonalTokenAnswer> => {
    try {
      const found = await authenticator.inspect(text);
      if (found === undefined) return { refused: 'inactive_token' };
      if (found.state !== 'active') return { refused: `${found.state}_token` };
      await revocations.untilIssuable(found.record.tokenId);
      return { claims: claimsOf(found.record, options) };
    } catch (error) {
      if (error instanceof ScryptBusyError || error instanceof StoreUnavailableError)
        logger.warn({ err: error }, 'a personal access token could not be verified');
      else logger.error({ err: error }, 'internal error while a personal access token was verified');
      return { retryAfterS: RETRY_AFTER_S };
    }
  };
}

function claimsOf(record: TokenRecord, { issuer, audiences, clock }: DirectTokensOptions): JsonObject {
  const { subject, clientId, scopes, claims = {} } = grantOf(record);
  const all = {
    iss: issuer,
    sub: subject,
    aud: audiences,
    client_id: clientId,
    iat: Math.floor(clock.now() / 1000),
    exp: record.expiresAt,
    scope: scopes.length === 0 ? undefined : scopes.join(' '),
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
