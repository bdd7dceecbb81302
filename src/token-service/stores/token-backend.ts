import type { TokenQuery, TokenRecord } from '../store.js';

/**
 * What a database has to be able to do; `createBackedTokenStore` makes a TokenStore of it and adds time limits, retries,
 * readiness and gathered notes of use. Any error that a backend throws means "not available", except those that `apply`
 * throws.
 */
export interface TokenBackend {
  /** Brings the schema up to date. Called before anything else, and again until it succeeds. */
  prepare(): Promise<void>;

  /** @returns false where the tokenId is taken by a record that is not forgotten */
  insert(record: TokenRecord, nowS: number): Promise<boolean>;

  /** @returns those that exist, forgotten ones included */
  find(tokenIds: readonly string[]): Promise<readonly TokenRecord[]>;

  /** @returns what matches, in the order of tokenId, without forgotten ones */
  list(query: TokenQuery, nowS: number): Promise<readonly TokenRecord[]>;

  /**
   * Reads, applies and writes as one atomic step.
   *
   * @param apply may be called more than once; undefined: leave the record as it is. `lastUsedAt` is never changed
   * @returns what was written; undefined: there is no record, or `apply` left it as it is
   */
  change(
    tokenId: string,
    apply: (record: TokenRecord) => TokenRecord | undefined,
  ): Promise<TokenRecord | undefined>;

  /** @param uses tokenId and second; an older use than the one that is stored changes nothing */
  writeLastUsed(uses: readonly LastUse[]): Promise<void>;

  /** Asks the database something small. */
  ping(): Promise<void>;

  /** @returns whether the error says that somebody else was faster: the same call may succeed shortly */
  isConflict(error: unknown): boolean;

  close(): Promise<void>;
}

/** A token and the second of its last use. */
export type LastUse = readonly [tokenId: string, usedAt: number];
