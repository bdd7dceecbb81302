import { Denial } from '../authz/denial.js';
import type { Config, IssuerConfig } from '../config/config.js';
import type { IssuerKeys } from '../jwks/types.js';
import { systemClock } from '../ports.js';
import { LOGOUT_RULES, readLogoutSubject } from '../signals/logout-token.js';
import { messageIssuersOf } from '../signals/message-issuers.js';
import {
  MessageRejection,
  MessageUndecidableError,
  verifyMessage,
  type MessageFault,
} from '../signals/signed-message.js';
import type { LogoutToken } from './gate-types.js';

const CODES: Readonly<Record<MessageFault, ConstructorParameters<typeof Denial>[0]>> = {
  invalid_request: 'malformed_token',
  invalid_key: 'unknown_key',
  invalid_issuer: 'untrusted_issuer',
  invalid_audience: 'invalid_audience',
  authentication_failed: 'invalid_signature',
};

/**
 * Verifies a logout token. Does not look at whether it was seen before.
 *
 * @throws Denial with a code of the token denials, keys_unavailable
 * @see OpenID Connect Back-Channel Logout 1.0 section 2.6
 */
export async function verifyLogout(
  token: string,
  config: Config,
  keysOf: (issuer: IssuerConfig) => IssuerKeys,
): Promise<LogoutToken> {
  const issuers = messageIssuersOf(config, { audienceOf: ({ logout }) => logout?.clientId, keysOf });
  try {
    const message = await verifyMessage(token, { ...LOGOUT_RULES, issuers }, systemClock.now());
    const { sub, sid } = readLogoutSubject(message);
    const { issuer, jti, issuedAtS } = message;
    return { issuer, subject: sub, sessionId: sid, jti, issuedAt: issuedAtS };
  } catch (error) {
    if (error instanceof MessageRejection) throw new Denial(CODES[error.fault]);
    if (error instanceof MessageUndecidableError) throw new Denial('keys_unavailable', { cause: error });
    throw error;
  }
}
