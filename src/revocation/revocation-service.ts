import type { Clock, Logger } from '../ports.js';
import type { Revocation, RevocationSource } from './revocation.js';
import { type Every, RevocationList } from './revocation-list.js';
import {
  type RevocationChange,
  RevocationsFullError,
  RevocationStoreUnavailableError,
  type RevocationStore,
  type RevocationUpdate,
} from './revocation-store.js';

/** What the service is made of. */
export interface RevocationServiceOptions {
  readonly store: RevocationStore;
  readonly clock: Clock;
  readonly every: Every;
  readonly logger: Logger;
  /** `revocation.maxEntries`, read on each use. */
  readonly maxEntries: () => number;
  readonly metrics: { revoked(source: RevocationSource): void };
}

/** Follows every change. A promise says when it has been taken over; a revocation waits for that, and not for long. */
export type RevocationFollower = (update: RevocationUpdate) => Promise<unknown> | undefined;

/** A part of the list. */
export interface RevocationPage {
  readonly limit: number;
  /** The id after which to go on; undefined: from the oldest. */
  readonly after: string | undefined;
}

const STORE_WATCH_MS = 250;
/** A worker that does not answer is told again when it is replaced; a client is not kept waiting for it. */
const FOLLOWERS_TIMEOUT_MS = 500;
/** When the list is full, so many ended entries are forgotten at once to make room. */
const MAKE_ROOM = 50_000;
const NO_CHANGE: RevocationChange = { put: [], removed: [] };

/**
 * The revocations of the process that owns the store: adds and withdraws them, and tells the workers. It decides nothing
 * about who may revoke.
 */
export class RevocationService {
  readonly list: RevocationList;
  readonly #followers = new Set<RevocationFollower>();
  #stopWatching: () => void = () => undefined;

  constructor(private readonly options: RevocationServiceOptions) {
    this.list = new RevocationList(options);
    this.list.staleSinceMs = -Infinity;
  }

  /** Loads what the store holds. @throws Error when it cannot be used */
  async open(): Promise<void> {
    const { store, every } = this.options;
    await store.open(
      (change) => this.#report(change),
      () => this.list.index.entries(),
    );
    this.#watchStore();
    this.#stopWatching = every(STORE_WATCH_MS, () => this.#watchStore());
  }

  /** How many are held. */
  get size(): number {
    return this.list.index.size;
  }

  /** Does the store answer? */
  isAvailable(): boolean {
    return this.options.store.isAvailable();
  }

  /**
   * Revokes. When it resolves, the revocation counts here, and in every worker that answers.
   *
   * @returns what is kept: joined with what was revoked of the same target before
   * @throws RevocationsFullError, RevocationStoreUnavailableError
   */
  async revoke(revocation: Revocation): Promise<Revocation> {
    this.#assertRoom(revocation);
    const kept = await this.#stored(() => this.options.store.add(revocation));
    this.options.metrics.revoked(revocation.source);
    this.#audit('revoke', kept);
    return this.list.index.find(kept) ?? kept;
  }

  /** Takes a revocation back. @returns false where there is none of that id */
  async withdraw(id: string): Promise<boolean> {
    const held = this.list.index.get(id);
    if (held === undefined || held.heldUntilS * 1000 <= this.options.clock.now()) return false;
    await this.#stored(() => this.options.store.remove(held));
    this.#audit('withdraw', held);
    return true;
  }

  /** @returns a part of what counts, oldest first */
  page({ limit, after = '' }: RevocationPage): Revocation[] {
    const nowS = this.options.clock.now() / 1000;
    const page: Revocation[] = [];
    for (const revocation of this.list.index.entries()) {
      if (revocation.id <= after || revocation.heldUntilS <= nowS) continue;
      page.push(revocation);
      if (page.length >= limit) break;
    }
    return page;
  }

  /**
   * Tells of every change from now on. Together with `list.index.entries()`, read afterwards, nothing is missed.
   *
   * @returns ends it
   */
  follow(follower: RevocationFollower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  async close(): Promise<void> {
    this.#stopWatching();
    this.#followers.clear();
    this.list.close();
    await this.options.store.close();
  }

  #pending: Promise<unknown>[] = [];

  /** Runs a change of the store, and waits for those who follow it. */
  async #stored<T>(run: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await run();
    } catch (error) {
      if (error instanceof RevocationStoreUnavailableError) throw error;
      throw new RevocationStoreUnavailableError('the revocation store failed', { cause: error });
    }
    await within(Promise.allSettled(this.#pending), FOLLOWERS_TIMEOUT_MS);
    return result;
  }

  /** The value of a token is the hash of its text, which is of no use to who reads it. */
  #audit(action: 'revoke' | 'withdraw', { id, kind, issuer, value, jti, source }: Revocation): void {
    const named = {
      jti: { tokenId: value },
      sid: {},
      sub: { subject: value },
      client: { clientId: value },
      token: { tokenId: jti },
    }[kind];
    this.options.logger.audit?.({ action, outcome: 'ok', target: id, issuer, kind, source, ...named });
  }

  #assertRoom(revocation: Revocation): void {
    const { index } = this.list;
    const max = this.options.maxEntries();
    if (index.size < max || index.find(revocation) !== undefined) return;
    index.sweep(this.options.clock.now(), MAKE_ROOM);
    if (index.size >= max) throw new RevocationsFullError(`${max} revocations are held already`);
  }

  #report(change: RevocationChange): void {
    this.list.apply(change);
    this.#tell(change);
  }

  #tell(change: RevocationChange): void {
    const update = { change, staleSinceMs: this.list.staleSinceMs };
    for (const follower of this.#followers) {
      const taken = follower(update);
      if (taken === undefined) continue;
      const noted = taken
        .catch(() => undefined)
        .finally(() => {
          this.#pending = this.#pending.filter((one) => one !== noted);
        });
      this.#pending.push(noted);
    }
  }

  #watchStore(): void {
    const { store, clock, logger } = this.options;
    store.sweep(clock.now());
    const staleSinceMs = store.staleSinceMs();
    if (staleSinceMs === this.list.staleSinceMs) return;
    if (staleSinceMs === undefined) logger.info({}, 'revocations are in step with their store');
    else logger.warn({}, 'the revocation store is out of reach; what is known still counts');
    this.list.staleSinceMs = staleSinceMs;
    this.#tell(NO_CHANGE);
  }
}

async function within(pending: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([pending, late]);
  clearTimeout(timer);
}
