import { JwsRejection } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { isSealedOutline, type TokenSealer } from '../../signing/sealed-token.js';
import { Denial } from '../denial.js';
import type { TokenEpoch, TokenKind } from './kind.js';
import type { ClaimRules } from './types.js';

/** What sealed tokens are opened and judged with. */
export interface SealedKindOptions {
  /** `tokens.issuer` */
  readonly issuer: string;
  readonly sealer: TokenSealer;
  readonly rules: ClaimRules;
  /** Everything that an outcome rests on, as one text. */
  readonly section: string;
}

interface SealedEpoch extends TokenEpoch {
  readonly section: string;
}

const NAME = 'sealed';

/** Opaque tokens of our own token endpoint: opened with our secrets, without any request. */
export function createSealedKind({ issuer, sealer, rules, section }: SealedKindOptions): TokenKind {
  const epoch: SealedEpoch = { kind: NAME, issuer, section };
  return {
    name: NAME,
    accepts: (token) => (isSealedOutline(token) ? '' : undefined),
    verify({ token }) {
      const text = sealer.open(token);
      if (text === undefined) throw new Denial('malformed_token');
      try {
        const claims = parseStrictJsonText(text);
        if (claims.iss !== issuer) throw new Denial('untrusted_issuer');
        return { claims, text, epoch };
      } catch (error) {
        if (error instanceof JwsRejection) throw new Denial('malformed_token');
        throw error;
      }
    },
    freshness: (known) => ((known as SealedEpoch).section === section ? 'current' : 'stale'),
    rulesOf: () => rules,
  };
}
