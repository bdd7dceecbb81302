import type { Clock, Logger } from '../ports.js';
import type { FailureLimits } from './failure-limits.js';
import { parsePersonalAccessToken } from './personal-access-token.js';
import type { SecretHasher } from './secret-hasher.js';
import type { TokenRecord, TokenStore } from './store.js';

/** What tokens are verified with. */
export interface AuthenticatorOptions {
  readonly store: TokenStore;
  readonly hasher: SecretHasher;
  /** undefined: the caller bounds attempts in its own way. */
  readonly limits: FailureLimits | undefined;
  /** `tokens.prefix` */
  readonly prefix: string;
  /** `tokens.bootstrapAdmin`: its secret's PHC string. */
  readonly bootstrapPhc: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Verifies personal access tokens. */
export interface Authenticator {
  /**
   * Verifies a token against its record. Malformed, unknown, wrong, revoked and expired tokens are one refusal; all but
   * the malformed cost the same work.
   *
   * @param text untrusted
   * @param address of the client, for the limits
   * @returns the record of a token that counts now
   * @throws InvalidTokenError, TooManyFailuresError, ScryptBusyError, StoreUnavailableError
   */
  authenticate(text: string, address: string): Promise<TokenRecord>;
  /**
   * Finds out what a token is. Only who has its secret learns that it was revoked, or has expired.
   *
   * @param text untrusted
   * @returns undefined where it is unknown or its secret wrong
   * @throws ScryptBusyError, StoreUnavailableError
   */
  inspect(text: string): Promise<InspectedToken | undefined>;
}

/** A token whose secret is right. */
export interface InspectedToken {
  readonly record: TokenRecord;
  readonly state: 'active' | 'revoked' | 'expired';
}

/** The token is refused. One message for every reason. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
  constructor() {
    super('the token is not valid');
  }
}

/** Too many attempts failed. */
export class TooManyFailuresError extends Error {
  override readonly name = 'TooManyFailuresError';
  /** @param retryAfterS whole seconds until the next attempt is looked at */
  constructor(readonly retryAfterS: number) {
    super('too many failed attempts');
  }
}

/** The id of the first administrator, which only the configuration makes. */
export const BOOTSTRAP_ID = 'bootstrap';

/** Creates the verification of personal access tokens. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { store, hasher, limits, prefix, clock } = options;
  const find = async (tokenId: string): Promise<TokenRecord | undefined> =>
    tokenId === BOOTSTRAP_ID ? bootstrapRecord(options.bootstrapPhc) : store.get(tokenId);

  return {
    async authenticate(text, address) {
      const token = parsePersonalAccessToken(text, prefix);
      const attempt = { tokenId: token?.tokenId ?? '', address };
      const verdict = limits?.judge(attempt);
      if (verdict?.allowed === false) throw new TooManyFailuresError(verdict.retryAfterS);
      const record = token === undefined ? undefined : await find(token.tokenId);
      const isLive = record !== undefined && counts(record, nowS(clock));
      const isEqual = token !== undefined && (await hasher.verify(record?.secretPhc, token.secret, isLive));
      if (token === undefined || !isLive || !isEqual) {
        limits?.failed(attempt);
        throw new InvalidTokenError();
      }
      if (record.tokenId !== BOOTSTRAP_ID) {
        store.touch(record.tokenId, nowS(clock));
        if (hasher.isOutdated(record.secretPhc)) void upgrade(record, token.secret, options);
      }
      return record;
    },
    async inspect(text) {
      const token = parsePersonalAccessToken(text, prefix);
      if (token === undefined) return undefined;
      const record = await find(token.tokenId);
      if (!(await hasher.verify(record?.secretPhc, token.secret)) || record === undefined) return undefined;
      if (record.revokedAt !== undefined) return { record, state: 'revoked' };
      if (!counts(record, nowS(clock))) return { record, state: 'expired' };
      if (record.tokenId !== BOOTSTRAP_ID) store.touch(record.tokenId, nowS(clock));
      return { record, state: 'active' };
    },
  };
}

/** Is the record neither revoked nor expired? @param nowSeconds seconds since the epoch */
export function counts(record: TokenRecord, nowSeconds: number): boolean {
  return record.revokedAt === undefined && (record.expiresAt === undefined || nowSeconds < record.expiresAt);
}

function nowS(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

function bootstrapRecord(secretPhc: string | undefined): TokenRecord | undefined {
  if (secretPhc === undefined) return undefined;
  return {
    tokenId: BOOTSTRAP_ID,
    owner: BOOTSTRAP_ID,
    isAdmin: true,
    roles: [],
    scopes: [],
    createdAt: 0,
    secretPhc,
  };
}

/** Hashes again at the configured cost. The request does not wait for it, and a failure is tried again at the next use. */
async function upgrade(
  { tokenId, secretPhc }: TokenRecord,
  secret: string,
  { store, hasher, logger }: AuthenticatorOptions,
): Promise<void> {
  try {
    const better = await hasher.hash(secret);
    // An administrator may have replaced the secret meanwhile; theirs stays.
    if ((await store.get(tokenId))?.secretPhc === secretPhc)
      await store.update(tokenId, { secretPhc: better });
  } catch (error) {
    logger.warn({ err: error, tokenId }, 'the hash of a token could not be upgraded');
  }
}
