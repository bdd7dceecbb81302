import type { IssuerKeys } from '../../jwks/types.js';
import type { PresentedToken, Proved, Refused } from './kind.js';
import type { TokenRules } from './types.js';

/** An issuer whose JWTs are accepted. */
export interface TokenIssuer extends TokenRules {
  readonly keys: IssuerKeys;
  /** Somebody else who must agree; undefined: a JWT speaks for itself. */
  readonly confirmation?: TokenConfirmation | undefined;
}

/** Somebody who must agree to tokens that passed every local check. */
export interface TokenConfirmation {
  /** Everything that an answer rests on, as one text. */
  readonly section: string;
  /**
   * @param proved of the token
   * @returns the outcome in its place
   * @throws Denial
   */
  confirm(presented: PresentedToken, proved: Pick<Proved, 'claims' | 'epoch'>): Promise<Proved | Refused>;
}
