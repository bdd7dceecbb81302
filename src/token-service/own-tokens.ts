import type { JsonObject } from '../ports.js';
import { counts, BOOTSTRAP_ID } from './authenticator.js';
import type { TokenIssuer } from './issued-tokens.js';
import type { TokenRecord, TokenStore } from './store.js';

/** The revocations of what we issue. Wherever they are kept, every process that answers Checks learns of them. */
export interface IssuedRevocations {
  /**
   * Was this token revoked, by itself or through its client?
   *
   * @param claims of a token of our own
   */
  isRevoked(claims: JsonObject, token: string): boolean;
  /**
   * Refuses a client's tokens that were issued up to now.
   *
   * @param nowS seconds since the epoch
   */
  revokeClient(clientId: string, nowS: number): Promise<void>;
  /**
   * Waits until a token that is issued now would not be refused with those before: `iat` and `before` are whole seconds.
   * At most a second, and only right after a revocation.
   */
  untilIssuable(clientId: string): Promise<void>;
  /** Refuses one token. @param expiresAtS when it expires, seconds since the epoch */
  revokeToken(token: { readonly jti: string; readonly expiresAtS: number }): Promise<void>;
}

/** What own tokens are judged with. */
export interface OwnTokensOptions {
  readonly issuer: TokenIssuer;
  readonly store: TokenStore;
  readonly revocations: IssuedRevocations;
  /** Seconds since the epoch. */
  readonly nowS: () => number;
}

/** An access token of our own that counts now. */
export interface OwnToken {
  readonly claims: JsonObject;
  /** The personal access token behind it; undefined: it came from an assertion, or from the bootstrap token. */
  readonly record: TokenRecord | undefined;
}

/** Finds out whether access tokens of our own count. */
export type JudgeOwnToken = (text: string) => Promise<OwnToken | undefined>;

/**
 * Creates the judge of own access tokens, for the endpoints that take them: authentic, not expired, not revoked, and
 * neither is the personal access token behind it.
 */
export function createOwnTokenJudge({ issuer, store, revocations, nowS }: OwnTokensOptions): JudgeOwnToken {
  return async (text) => {
    const claims = issuer.read(text);
    if (claims === undefined || revocations.isRevoked(claims, text)) return undefined;
    const { client_id: clientId } = claims;
    if (typeof clientId !== 'string') return undefined;
    const record = clientId === BOOTSTRAP_ID ? undefined : await store.get(clientId);
    return record !== undefined && !counts(record, nowS()) ? undefined : { claims, record };
  };
}
