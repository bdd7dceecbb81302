/** One personal access token as it is stored. It holds no credential: `secretPhc` is a salted scrypt hash. Times are seconds since the epoch. */
export interface TokenRecord {
  /** The public half of the token; also sub and client_id of what is issued for it. */
  readonly tokenId: string;
  /** Whom it belongs to; free text of the administrator, often an e-mail address. */
  readonly owner: string;
  readonly isAdmin: boolean;
  /** Without duplicates, in the order in which they were given. */
  readonly roles: readonly string[];
  /** Without duplicates, in the order in which they were given. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** Absent: never. From this second on the token is refused. */
  readonly expiresAt?: number;
  /** Present: the token is refused until it is restored. */
  readonly revokedAt?: number;
  /** When a secret was last accepted; may lag by some seconds after a restart. */
  readonly lastUsedAt?: number;
  readonly description?: string;
  /** The hash of the secret, `$scrypt$ln=…`. Leaves the product only where an administrator asks for it. */
  readonly secretPhc: string;
  /** Only with `revokedAt`: from this second on the record counts as gone, and may be deleted. Absent: it is kept. */
  readonly forgetAt?: number;
}

/** A change of a list: the whole of it, or a difference that is applied atomically. */
export type ListChange =
  readonly string[] | { readonly add: readonly string[] } | { readonly remove: readonly string[] };

/** What to change. Absent members stay as they are. */
export interface TokenPatch {
  readonly owner?: string;
  readonly isAdmin?: boolean;
  readonly secretPhc?: string;
  /** Seconds; null: never. */
  readonly expiresAt?: number | null;
  /** null: none. */
  readonly description?: string | null;
  readonly roles?: ListChange;
  readonly scopes?: ListChange;
}

/** Which records to list. Revoked and expired ones are left out unless asked for. */
export interface TokenQuery {
  /** Only those whose tokenId sorts after this one. */
  readonly afterTokenId?: string;
  /** How many at most, 1 to 1000. */
  readonly limit: number;
  readonly includeRevoked?: boolean;
  readonly includeExpired?: boolean;
  /** Only those that hold this role. */
  readonly hasRole?: string;
  /** Only those of exactly this owner. */
  readonly owner?: string;
}

/** When a token was revoked, and when its record may go. Seconds. */
export interface TokenRevocation {
  readonly revokedAt: number;
  readonly forgetAt?: number;
}

/**
 * Keeps personal access tokens. A write that was acknowledged survives the end of the process, `kill -9` included (not
 * in memory). A revoked record whose `forgetAt` has passed counts as absent in every call. The store validates no
 * content: names, lengths and costs are the caller's to check.
 *
 * Every method throws StoreUnavailableError where the store does not answer within its time limit.
 */
export interface TokenStore {
  /** @returns false where the tokenId is taken, by a revoked or expired record as well; nothing is changed then */
  insert(record: TokenRecord): Promise<boolean>;

  get(tokenId: string): Promise<TokenRecord | undefined>;

  /**
   * @param tokenIds at most 100
   * @returns those that exist, each once, in no particular order
   * @throws RangeError where there are more
   */
  getMany(tokenIds: readonly string[]): Promise<readonly TokenRecord[]>;

  /** @returns records in the order of their tokenId by code point; fewer than the limit: there are no more */
  list(query: TokenQuery): Promise<readonly TokenRecord[]>;

  /**
   * Applies a patch atomically: concurrent patches are applied one after the other, and none is lost.
   *
   * @returns the record as it is now; undefined: there is none
   * @throws TokenListFullError where a list would grow beyond MAX_LIST_ENTRIES; nothing is changed then
   */
  update(tokenId: string, patch: TokenPatch): Promise<TokenRecord | undefined>;

  /**
   * Revokes. Again: `revokedAt` stays the first one, `forgetAt` changes where it is given.
   *
   * @returns the record as it is now; undefined: there is none
   */
  revoke(tokenId: string, revocation: TokenRevocation): Promise<TokenRecord | undefined>;

  /** Takes a revocation back. @returns the record as it is now; undefined: there is none, or it was forgotten */
  restore(tokenId: string): Promise<TokenRecord | undefined>;

  /**
   * Notes that a token was used. Never waits and never fails: notes are gathered and written together, and are the one
   * thing that a crash may lose. What this process reads includes them at once.
   *
   * @param usedAt seconds
   */
  touch(tokenId: string, usedAt: number): void;

  /** Settles when the store answers and its schema is in place; for readiness. */
  ping(): Promise<void>;

  /** Writes what `touch` gathered, and releases connections and timers. */
  close(): Promise<void>;
}

/** How many roles, and how many scopes, a record may hold. */
export const MAX_LIST_ENTRIES = 256;

/** How many records one `getMany` may ask for. */
export const MAX_GET_MANY = 100;

/** The store is out of reach or did not answer in time. The message names no credential and no connection string. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** A list of roles or scopes would grow beyond its limit. */
export class TokenListFullError extends Error {
  override readonly name = 'TokenListFullError';

  /** @param member which list */
  constructor(readonly member: 'roles' | 'scopes') {
    super(`a token holds at most ${MAX_LIST_ENTRIES} ${member}`);
  }
}
