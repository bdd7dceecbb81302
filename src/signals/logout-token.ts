/** What a logout token says, after its signature and common claims were verified. */
import { MessageRejection, readText, type MessageRules, type VerifiedMessage } from './signed-message.js';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Issuers retry within minutes (2.7 wants two): one that is older was kept by somebody, whatever its `exp` says. */
const MAX_AGE_S = 3600;

/** `logout+jwt` is recommended and no more (2.4): issuers that came before it send JWT or nothing. */
export const LOGOUT_RULES: Omit<MessageRules, 'issuers'> = {
  types: new Set(['logout+jwt', 'jwt', undefined]),
  requiresExpiry: true,
  maxAgeS: MAX_AGE_S,
};

/** Whose session is over: at least one of the two is there. */
export interface LogoutSubject {
  readonly sub: string | undefined;
  readonly sid: string | undefined;
}

/**
 * Reads whose session ends.
 *
 * @throws MessageRejection
 * @see OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6
 */
export function readLogoutSubject({ claims, events }: VerifiedMessage): LogoutSubject {
  if (!events.has(LOGOUT_EVENT)) throw new MessageRejection('invalid_request', 'it is no logout');
  if (claims.nonce !== undefined) throw new MessageRejection('invalid_request', 'nonce must not be there');
  const [sub, sid] = [readText(claims.sub), readText(claims.sid)];
  if (claims.sub !== undefined && sub === undefined)
    throw new MessageRejection('invalid_request', 'sub is not a text');
  if (claims.sid !== undefined && sid === undefined)
    throw new MessageRejection('invalid_request', 'sid is not a text');
  if (sub === undefined && sid === undefined)
    throw new MessageRejection('invalid_request', 'sub or sid must be there');
  return { sub, sid };
}
