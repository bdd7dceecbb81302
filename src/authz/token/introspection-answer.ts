/** How far an issuer's answer about a token is believed. */
import {
  type IntrospectionAnswer,
  IntrospectionUnavailableError,
  type Introspector,
} from '../../introspection/types.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import type { JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';
import type { PresentedToken, Proved, Refused, TokenEpoch } from './kind.js';
import type { ClaimRules } from './types.js';

/** An issuer that is asked about tokens. */
export interface IntrospectingIssuer {
  readonly introspector: Introspector;
  readonly rules: ClaimRules;
  /** Opaque tokens that begin so are this issuer's; undefined: none is marked. */
  readonly tokenPrefix: string | undefined;
  /** Everything that an answer rests on, as one text. */
  readonly section: string;
}

/**
 * Asks an issuer about a token.
 *
 * @throws Denial introspection_unavailable
 */
export async function askIssuer(
  introspector: Introspector,
  { token, hash }: Pick<PresentedToken, 'token' | 'hash'>,
): Promise<IntrospectionAnswer> {
  try {
    return await introspector.introspect(token, hash);
  } catch (error) {
    if (!(error instanceof IntrospectionUnavailableError)) throw error;
    throw new Denial('introspection_unavailable', { retryAfterS: error.retryAfterS, cause: error });
  }
}

/**
 * What an answer is worth. Claims and times are not judged yet.
 *
 * @param epoch of the outcome; its issuer must be `iss`, where there is one
 */
export function concludeAnswer(answer: IntrospectionAnswer, epoch: TokenEpoch): Proved | Refused {
  const keepUntilMs = answer.untilMs;
  if (!answer.active) return { refused: 'inactive_token', epoch, keepUntilMs };
  const claims = parseStrictJsonText(answer.text);
  const refused = faultOf(claims, epoch.issuer);
  if (refused !== undefined) return { refused, epoch, keepUntilMs };
  return { claims, text: answer.text, epoch, keepUntilMs };
}

/** Types of access tokens (RFC 6749 7.1, RFC 9449 6.2), as servers write them. */
const TOKEN_TYPES = new Set(['bearer', 'dpop', 'access_token']);

/** What an answer alone can get wrong; everything else is judged as for any token. */
function faultOf({ iss, token_type, token_use, cnf }: JsonObject, issuer: string): DenialCode | undefined {
  if (iss !== undefined && iss !== issuer) return 'untrusted_issuer';
  // Some servers tell a refresh token apart by this member alone.
  if (token_use !== undefined && token_use !== 'access_token' && token_use !== 'access')
    return 'invalid_token_type';
  if (token_type === undefined) return undefined;
  const type = typeof token_type === 'string' ? token_type.toLowerCase() : '';
  if (!TOKEN_TYPES.has(type)) return 'invalid_token_type';
  return type === 'dpop' && !hasKeyThumbprint(cnf) ? 'unsupported_confirmation' : undefined;
}

function hasKeyThumbprint(cnf: unknown): boolean {
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf;
}
