import { hashToken } from '../authz/token/token-hash.js';
import { Denial } from '../authz/denial.js';
import type { Config } from '../config/config.js';
import type { AskIntrospection } from '../introspections.js';
import { IntrospectionUnavailableError } from '../introspection/types.js';
import { parseStrictJsonText } from '../jws/strict-json.js';
import { findIssuerOf } from '../revocation/revoke-at-issuer.js';
import type { Introspection } from './gate-types.js';

/**
 * Asks the issuer of a token about it. A token goes to one issuer, or to none.
 *
 * @throws Denial untrusted_issuer, token_too_large, introspection_unavailable
 */
export async function introspectToken(
  token: string,
  config: Config,
  ask: AskIntrospection,
): Promise<Introspection> {
  if (token.length > config.maxTokenBytes) throw new Denial('token_too_large');
  const askable = config.issuers.flatMap(({ issuer, introspection }) =>
    introspection === undefined ? [] : [{ issuer, tokenPrefix: introspection.tokenPrefix }],
  );
  const issuer = findIssuerOf(token, askable)?.issuer;
  if (issuer === undefined) throw new Denial('untrusted_issuer');
  try {
    const answer = await ask({ issuer, token, hash: hashToken(token) });
    if (!answer.active) return { active: false };
    return { ...(parseStrictJsonText(answer.text) as Record<string, unknown>), active: true };
  } catch (error) {
    if (!(error instanceof IntrospectionUnavailableError)) throw error;
    throw new Denial('introspection_unavailable', { retryAfterS: error.retryAfterS, cause: error });
  }
}
