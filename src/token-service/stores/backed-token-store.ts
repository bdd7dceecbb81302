import { type Scheduler } from '../../jwks/ports.js';
import type { Clock, Logger } from '../../ports.js';
import {
  MAX_GET_MANY,
  type TokenPatch,
  type TokenQuery,
  type TokenRecord,
  type TokenRevocation,
  type TokenStore,
} from '../store.js';
import { Availability } from './availability.js';
import { LastUsedNotes } from './last-used.js';
import { applyPatch, applyRestore, applyRevocation, isForgotten } from './record-changes.js';
import type { TokenBackend } from './token-backend.js';

/** What every store needs beside its database. */
export interface BackedTokenStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  /** Of one call with all its retries, milliseconds. */
  readonly timeoutMs?: number;
  /** Of bringing the schema up to date, milliseconds. */
  readonly prepareTimeoutMs?: number;
  /** Calls without an answer at most. */
  readonly maxPending?: number;
}

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_PREPARE_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_PENDING = 1000;

/**
 * Makes a token store of a database. It brings the schema up to date at once, in the background; calls wait for that, and
 * one that finds it failed tries again. So a database that is away when the process starts does not keep it from starting.
 */
export function createBackedTokenStore(backend: TokenBackend, options: BackedTokenStoreOptions): TokenStore {
  return new BackedTokenStore(backend, options);
}

class BackedTokenStore implements TokenStore {
  private readonly availability: Availability;
  private readonly notes: LastUsedNotes;
  private prepared: Promise<void> | undefined;

  constructor(
    private readonly backend: TokenBackend,
    private readonly options: BackedTokenStoreOptions,
  ) {
    this.availability = new Availability({
      logger: options.logger,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxPending: options.maxPending ?? DEFAULT_MAX_PENDING,
      isConflict: (error) => backend.isConflict(error),
    });
    this.notes = new LastUsedNotes({
      write: (uses) => this.run(() => backend.writeLastUsed(uses)),
      scheduler: options.scheduler,
    });
    this.prepare().catch(() => undefined);
  }

  insert(record: TokenRecord): Promise<boolean> {
    return this.run(() => this.backend.insert(record, this.nowS()));
  }

  async get(tokenId: string): Promise<TokenRecord | undefined> {
    const [record] = await this.getMany([tokenId]);
    return record;
  }

  async getMany(tokenIds: readonly string[]): Promise<readonly TokenRecord[]> {
    if (tokenIds.length > MAX_GET_MANY) throw new RangeError(`at most ${MAX_GET_MANY} records at once`);
    const wanted = [...new Set(tokenIds)];
    if (wanted.length === 0) return [];
    const found = await this.run(() => this.backend.find(wanted));
    return found.filter((record) => !isForgotten(record, this.nowS())).map((record) => this.overlay(record));
  }

  async list(query: TokenQuery): Promise<readonly TokenRecord[]> {
    const found = await this.run(() => this.backend.list(query, this.nowS()));
    return found.map((record) => this.overlay(record));
  }

  update(tokenId: string, patch: TokenPatch): Promise<TokenRecord | undefined> {
    return this.change(tokenId, (record) => applyPatch(record, patch));
  }

  revoke(tokenId: string, revocation: TokenRevocation): Promise<TokenRecord | undefined> {
    return this.change(tokenId, (record) => applyRevocation(record, revocation));
  }

  restore(tokenId: string): Promise<TokenRecord | undefined> {
    return this.change(tokenId, applyRestore);
  }

  touch(tokenId: string, usedAt: number): void {
    this.notes.note(tokenId, usedAt);
  }

  ping(): Promise<void> {
    return this.run(() => this.backend.ping());
  }

  async close(): Promise<void> {
    this.notes.stop();
    await this.notes.flush().catch(() => undefined);
    await this.backend.close().catch(() => undefined);
  }

  private async change(
    tokenId: string,
    apply: (record: TokenRecord) => TokenRecord,
  ): Promise<TokenRecord | undefined> {
    const changed = await this.run(() =>
      this.backend.change(tokenId, (record) =>
        isForgotten(record, this.nowS()) ? undefined : apply(record),
      ),
    );
    return changed === undefined ? undefined : this.overlay(changed);
  }

  private run<T>(work: () => Promise<T>): Promise<T> {
    return this.availability.run(async () => {
      await this.prepare();
      return work();
    });
  }

  /** All wait for one preparation; the call after a failed one starts the next. */
  private prepare(): Promise<void> {
    this.prepared ??= this.availability
      .run(() => this.backend.prepare(), this.options.prepareTimeoutMs ?? DEFAULT_PREPARE_TIMEOUT_MS)
      .catch((error: unknown) => {
        this.prepared = undefined;
        throw error;
      });
    return this.prepared;
  }

  private overlay(record: TokenRecord): TokenRecord {
    return this.notes.overlay(record);
  }

  private nowS(): number {
    return Math.floor(this.options.clock.now() / 1000);
  }
}
