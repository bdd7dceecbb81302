import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../ports.js';
import { askIssuer, concludeAnswer, type IntrospectingIssuer } from './introspection-answer.js';
import type { TokenConfirmation } from './jwt-issuer.js';

/** What an answer may repeat, and may not change. */
const FIXED_CLAIMS = ['sub', 'client_id', 'cnf'] as const;

/**
 * Makes introspection the confirmation of an issuer's JWTs. Claims of the answer stand beside those of the token, and
 * win over them, except for who and what the token is bound to: an answer that says otherwise is about another token.
 *
 * @see RFC 7662 section 2.2
 */
export function createConfirmation({
  introspector,
  section,
}: Pick<IntrospectingIssuer, 'introspector' | 'section'>): TokenConfirmation {
  return {
    section,
    async confirm(presented, { claims, epoch }) {
      const answer = concludeAnswer(await askIssuer(introspector, presented), epoch);
      if ('refused' in answer) return answer;
      const { keepUntilMs } = answer;
      if (contradicts(answer.claims, claims)) return { refused: 'invalid_claims', epoch, keepUntilMs };
      const merged = { ...claims, ...answer.claims };
      return { claims: merged, text: JSON.stringify(merged), epoch, keepUntilMs };
    },
  };
}

function contradicts(answer: JsonObject, token: JsonObject): boolean {
  return FIXED_CLAIMS.some(
    (name) => answer[name] !== undefined && !isDeepStrictEqual(answer[name], token[name]),
  );
}
