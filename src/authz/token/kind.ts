/**
 * A kind of token: one file that recognizes its tokens and verifies them. What every kind has in common wraps it: the
 * memory of known and refused tokens, single flight, and the comparison of times with the clock (`verifier.ts`).
 */
import type { JsonObject } from '../../ports.js';
import type { DenialCode } from '../denial.js';
import type { ClaimRules } from './types.js';

/**
 * Under what a token was verified: whose it is, and whatever else its kind rests the outcome on, such as keys and rules.
 * Opaque to everybody but the kind that made it. Holds no token and no claim.
 */
export interface TokenEpoch {
  /** `name` of the kind. */
  readonly kind: string;
  /** The issuer, as configured. */
  readonly issuer: string;
}

/** May an earlier outcome be used? */
export type Freshness =
  /** Yes. */
  | 'current'
  /** Not now: ask again, and keep it. */
  | 'unsure'
  /** Never again. */
  | 'stale';

/** A token to verify. */
export interface PresentedToken {
  /** As the client sent it; untrusted. A secret. */
  readonly token: string;
  /** From `hashToken`, of this very token. */
  readonly hash: string;
  /** What `accepts` answered. */
  readonly issuer: string;
}

/** What was proved of a token. Its claims are not judged yet. */
export interface Proved {
  readonly claims: JsonObject;
  /** The same as JSON text: what is remembered. */
  readonly text: string;
  readonly epoch: TokenEpoch;
  /** Not remembered from then on, milliseconds since the epoch; undefined: until the token expires. */
  readonly keepUntilMs?: number | undefined;
  /**
   * A further question, asked once claims and times are found good.
   *
   * @returns the outcome in place of this one
   * @throws Denial
   */
  confirm?(nowMs: number): Promise<Proved | Refused>;
}

/** A refusal that stays the same for a while. What a kind throws instead is not remembered. */
export interface Refused {
  readonly refused: DenialCode;
  readonly epoch: TokenEpoch;
  /** Not remembered from then on, milliseconds since the epoch; undefined: as the memory does. */
  readonly keepUntilMs?: number | undefined;
}

/** A kind of token. */
export interface TokenKind {
  /** Of letters; unique in the list of kinds. */
  readonly name: string;

  /**
   * Is this token of this kind? Judges from the text alone, and from the issuers that the policy allows. Called for every
   * request, so it must be cheap.
   *
   * @param token untrusted
   * @param issuers that the policy takes; undefined: all
   * @returns undefined: no; else the issuer that will be asked, or an empty text where the token itself names it. The same
   *   token is remembered once for each of these.
   * @throws Denial untrusted_issuer where it is of this kind and nobody's
   */
  accepts(token: string, issuers: ReadonlySet<string> | undefined): string | undefined;

  /**
   * Verifies a token, now or later. Does not judge claims and times.
   *
   * @param nowMs milliseconds since the epoch
   * @throws Denial for what is not to be remembered
   */
  verify(presented: PresentedToken, nowMs: number): Proved | Refused | Promise<Proved | Refused>;

  /** May an outcome under this epoch, of this kind, still be used? Called for every request with a known token. */
  freshness(epoch: TokenEpoch, nowMs: number): Freshness;

  /**
   * What the claims of a token are held to.
   *
   * @param epoch of this kind, not stale
   */
  rulesOf(epoch: TokenEpoch): ClaimRules;
}
