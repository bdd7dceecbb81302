import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';
import type { TokenEpoch, TokenKind } from './kind.js';
import type { ClaimRules } from './types.js';

/** What is known of a personal access token. Plain data, so that it can come from another process. */
export type PersonalTokenAnswer =
  | { readonly claims: JsonObject }
  | { readonly refused: 'inactive_token' | 'revoked_token' | 'expired_token' }
  /** The store, or a thread to hash in, is out of reach. */
  | { readonly retryAfterS: number };

/** Asks the process that owns the token store. Never rejects. */
export type AskPersonalToken = (token: string) => Promise<PersonalTokenAnswer>;

/** What personal access tokens are recognized by and judged with. */
export interface PersonalKindOptions {
  /** `tokens.issuer` */
  readonly issuer: string;
  /** Is this text such a token, checksum included? */
  readonly isPersonal: (token: string) => boolean;
  readonly ask: AskPersonalToken;
  readonly rules: ClaimRules;
  /** Everything that an outcome rests on, as one text. */
  readonly section: string;
}

interface PersonalEpoch extends TokenEpoch {
  readonly section: string;
}

const NAME = 'personal';
/** The store is asked again after this: a change there counts within a second, whichever process made it. */
const KEEP_MS = 1000;

/** Personal access tokens that are sent to the upstream themselves (`tokens.direct`). */
export function createPersonalKind(options: PersonalKindOptions): TokenKind {
  const { issuer, isPersonal, ask, rules, section } = options;
  const epoch: PersonalEpoch = { kind: NAME, issuer, section };
  return {
    name: NAME,
    accepts: (token) => (isPersonal(token) ? '' : undefined),
    async verify({ token }, nowMs) {
      const answer = await ask(token);
      if ('retryAfterS' in answer)
        throw new Denial('tokens_unavailable', { retryAfterS: answer.retryAfterS });
      if ('refused' in answer) return { refused: answer.refused, epoch, keepUntilMs: nowMs + KEEP_MS };
      const { claims } = answer;
      return { claims, text: JSON.stringify(claims), epoch, keepUntilMs: nowMs + KEEP_MS };
    },
    freshness: (known) => ((known as PersonalEpoch).section === section ? 'current' : 'stale'),
    rulesOf: () => rules,
  };
}
