import type { VerificationKey } from '../jwk/types.js';
import type { Clock, Logger } from '../ports.js';
import { refreshDelayMs, retryDelayMs } from './back-off.js';
import { HeldKeySet, type TimedKeySet } from './held-key-set.js';
import { failureCode, type KeySetFailureCode } from './key-set-error.js';
import { type KeySet, NO_KEYS, noUsableKeys, parseKeySet, readKeySet, serializeKeySet } from './key-set.js';
import type { FetchedSource } from './key-source.js';
import type { KeySetFetcher, KeySetMetrics, KeySetSettings, RandomFraction, Scheduler } from './ports.js';
import { type Attempt, Refresher } from './refresher.js';
import type { SnapshotStore } from './snapshot-store.js';
import { type IssuerKeys, KeysUnavailableError } from './types.js';

/** What fetched keys borrow from outside. */
export interface FetchedKeysDependencies {
  readonly fetcher: KeySetFetcher;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: RandomFraction;
  readonly logger: Logger;
  readonly metrics: KeySetMetrics;
  readonly snapshots: SnapshotStore | undefined;
  /** The present settings; a reload may change them. */
  readonly settings: () => KeySetSettings;
  /** Hands out numbers that were never handed out before. */
  readonly nextGeneration: () => number;
  /** Told of each use, for the LRU of issuers. */
  readonly used: () => void;
}

/**
 * Checks that may wait for one issuer's fetch at a time. The others are answered at once, so that an issuer that hangs
 * does not take up every Check there may be.
 */
const MAX_WAITING = 256;
/** A snapshot is written again this often, so that its age is true, and at once when keys change. */
const SNAPSHOT_INTERVAL_MS = 60_000;
/** A snapshot of the future, by more than clocks differ, has a wrong age. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000;
/** A set without a usable key is believed when it comes twice within the cooldown, or this where that is longer. */
const CONFIRM_EMPTY_WITHIN_MS = 30_000;

/**
 * The keys of one issuer, fetched and kept fresh in the background. While the issuer fails, the last good set is served
 * up to `staleIfError` past its expiry.
 */
export class FetchedIssuerKeys implements IssuerKeys {
  readonly #held: HeldKeySet;
  readonly #refresher: Refresher<TimedKeySet>;
  #lastError: KeySetFailureCode | undefined;
  #started = false;
  #closed = false;
  #evicted = false;
  /** Loaded from disk and past its expiry: for the case that the issuer does not answer. */
  #standby: TimedKeySet | undefined;
  #waiting = 0;
  #unknownKidAskedAtMs = -Infinity;
  #snapshotAtMs = -Infinity;
  /** When a set without a usable key came first; -Infinity: the last answer was none. */
  #emptyAtMs = -Infinity;

  /**
   * @param issuer from the configuration
   * @param source where its keys are
   */
  constructor(
    readonly issuer: string,
    private readonly source: FetchedSource,
    private readonly deps: FetchedKeysDependencies,
  ) {
    this.#held = new HeldKeySet(deps.nextGeneration, deps.settings);
    this.#refresher = new Refresher<TimedKeySet>({
      fetch: (attempt) => this.#fetch(attempt),
      accept: (held) => this.#accept(held),
      failed: (error, retryInMs) => this.#failed(error, retryInMs),
      refreshInMs: () => this.#refreshInMs(),
      retryInMs: (failures) => retryDelayMs(failures, { settings: deps.settings(), random: deps.random }),
      clock: deps.clock,
      scheduler: deps.scheduler,
    });
  }

  get generation(): number {
    return this.#held.generation;
  }
  /** The last good set with its times, however old. */
  get latest(): TimedKeySet | undefined {
    return this.#held.latest;
  }
  /** Why the last attempt failed; undefined after a success. */
  get lastError(): KeySetFailureCode | undefined {
    return this.#lastError;
  }
  /** Attempts that failed since the last success. */
  get failures(): number {
    return this.#refresher.failures;
  }
  /** Were the keys let go of to make room? */
  get evicted(): boolean {
    return this.#evicted;
  }

  /** @see IssuerKeys.isUsable */
  isUsable(nowMs: number): boolean {
    if (this.#fetchesEachTime() || this.#held.servable(nowMs) === undefined) return false;
    this.deps.used();
    return true;
  }

  /**
   * Is there a set to decide with?
   *
   * @param nowMs milliseconds since the epoch
   */
  isReady(nowMs: number): boolean {
    if (this.#held.latest?.set.keys.length === 0) return false;
    if (this.#held.servable(nowMs) !== undefined) return true;
    // Where every token fetches, a set is never fresh; what counts is that the last fetch went well.
    return this.#fetchesEachTime() && this.#held.latest !== undefined && this.failures === 0;
  }

  /** @see IssuerKeys.find */
  find(
    kid: string | undefined,
    alg: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    this.deps.used();
    const nowMs = this.deps.clock.now();
    const set = this.#fetchesEachTime() ? undefined : this.#held.servable(nowMs);
    if (set === undefined) return this.#findAfterFetch(kid, alg, nowMs);
    const keys = set.find(kid, alg);
    if (keys.length > 0 || !this.#mayAskForUnknown(nowMs)) return keys;
    return this.#await((succeeded) => this.#decide(succeeded)?.find(kid, alg) ?? NO_KEYS);
  }

  /**
   * Begins: the snapshot is read, and the issuer is asked.
   *
   * @returns whether the first attempt, or the one under way, succeeded
   */
  start(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.deps.used();
    if (!this.#started) this.#wake();
    return this.#refresher.run();
  }

  /**
   * Asks again, whatever cooldown and back-off say. The present set stays while that fails, unless it is dropped.
   *
   * @returns whether it succeeded
   */
  invalidate({ drop }: { readonly drop: boolean }): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.deps.used();
    if (drop) {
      this.#held.drop();
      this.#standby = undefined;
      this.#snapshotAtMs = -Infinity;
      this.deps.snapshots?.remove(this.issuer);
    }
    this.#started = true;
    this.#evicted = false;
    return this.#refresher.restart();
  }

  /** Hears that settings have changed. */
  reconfigured(): void {
    if (!this.#closed) this.#refresher.reschedule();
  }

  /** Lets go of the keys and of all activity, until the next use. */
  unload(): void {
    this.#refresher.stop();
    this.#held.unload();
    this.#standby = undefined;
    this.#started = false;
    this.#evicted = true;
  }

  /** Ends all activity. Checks that still hold these keys go on with the present set. */
  close(): void {
    this.#closed = true;
    this.#refresher.stop();
  }

  #wake(): void {
    this.#started = true;
    this.#evicted = false;
    this.#loadSnapshot();
  }

  #fetchesEachTime(): boolean {
    return this.deps.settings().maxTtlMs === 0;
  }

  #findAfterFetch(kid: string | undefined, alg: string, nowMs: number): Promise<readonly VerificationKey[]> {
    const backOffMs = this.#fetchesEachTime() ? 0 : this.#refresher.backOffMs(nowMs);
    // Whoever comes while an attempt is under way waits for it; between attempts nobody waits.
    if (this.#closed || this.#waiting >= MAX_WAITING || (!this.#refresher.inFlight && backOffMs > 0)) {
      const set = this.#decide(false);
      return set === undefined ? Promise.reject(this.#unavailable()) : Promise.resolve(set.find(kid, alg));
    }
    return this.#await((succeeded) => {
      const set = this.#decide(succeeded);
      if (set === undefined) throw this.#unavailable();
      return set.find(kid, alg);
    });
  }

  /** May this unknown kid wait for a fetch, and does it start one? However many kids are made up: one per cooldown. */
  #mayAskForUnknown(nowMs: number): boolean {
    if (this.#closed || this.#waiting >= MAX_WAITING) return false;
    if (this.#refresher.inFlight) return true;
    const elapsedMs = nowMs - this.#unknownKidAskedAtMs;
    // A clock that was set back must not close the door until it has caught up.
    if (elapsedMs >= 0 && elapsedMs < this.deps.settings().cooldownMs) return false;
    if (this.#refresher.backOffMs(nowMs) > 0) return false;
    this.#unknownKidAskedAtMs = nowMs;
    return true;
  }

  async #await<R>(then: (succeeded: boolean) => R): Promise<R> {
    this.#waiting += 1;
    try {
      return then(await this.start());
    } finally {
      this.#waiting -= 1;
    }
  }

  #decide(succeeded: boolean): KeySet | undefined {
    return succeeded ? this.#held.latest?.set : this.#held.servable(this.deps.clock.now());
  }

  #unavailable(): KeysUnavailableError {
    const waitMs = this.#refresher.backOffMs(this.deps.clock.now());
    return new KeysUnavailableError(this.issuer, Math.max(1, Math.ceil(waitMs / 1000)), {
      cause: this.#lastError,
    });
  }

  async #fetch({ thorough, signal }: Attempt): Promise<TimedKeySet> {
    const { fetcher, settings } = this.deps;
    const { jwks, ttlMs, fetchedAtMs } = await fetcher.fetch({
      issuer: this.issuer,
      source: this.source,
      settings: settings(),
      rediscover: thorough,
      signal,
    });
    return { set: readKeySet(jwks), source: 'network', fetchedAtMs, ttlMs };
  }

  #accept(held: TimedKeySet): void {
    const { logger, metrics } = this.deps;
    const isEmpty = held.set.keys.length === 0;
    if (isEmpty && !this.#isEmptyConfirmed()) throw noUsableKeys(held.set);
    if (!isEmpty) this.#emptyAtMs = -Infinity;
    const changed = this.#held.install(held);
    this.#standby = undefined;
    this.#lastError = undefined;
    metrics.fetched(this.issuer, 'success');
    this.#saveSnapshot(held, changed);
    if (!changed) return;
    const { keys, skipped } = held.set;
    logger.info({ issuer: this.issuer, keys: keys.length, skipped }, 'the issuer has new keys');
  }

  /**
   * An issuer that is being set up answers without keys for a moment; one that withdraws its keys goes on with it. The
   * retry after the first such answer comes within the cooldown.
   */
  #isEmptyConfirmed(): boolean {
    if (this.#held.latest?.set.keys.length === 0) return true;
    const nowMs = this.deps.clock.now();
    const withinMs = Math.max(this.deps.settings().cooldownMs, CONFIRM_EMPTY_WITHIN_MS);
    if (nowMs - this.#emptyAtMs <= withinMs) return true;
    this.#emptyAtMs = nowMs;
    return false;
  }

  #failed(error: unknown, retryInMs: number): void {
    const { logger, metrics, clock } = this.deps;
    const code = failureCode(error);
    this.#lastError = code;
    metrics.fetched(this.issuer, code);
    if (this.#standby !== undefined && this.#held.latest === undefined) this.#held.install(this.#standby);
    const serving = this.#held.servable(clock.now()) !== undefined;
    const detail = error instanceof Error ? error.message : 'unknown';
    logger.warn(
      { issuer: this.issuer, reason: code, detail, failures: this.failures, retryInMs, serving },
      serving
        ? 'the keys could not be fetched; the last good ones are used'
        : 'the keys could not be fetched',
    );
  }

  #refreshInMs(): number | undefined {
    const held = this.#held.latest;
    if (held === undefined || this.#fetchesEachTime()) return undefined;
    const { clock, random } = this.deps;
    const { fetchedAtMs } = held;
    const expiresAtMs = this.#held.expiresAtMs(held);
    return refreshDelayMs({ fetchedAtMs, expiresAtMs, nowMs: clock.now() }, random);
  }

  #saveSnapshot(held: TimedKeySet, changed: boolean): void {
    if (held.set.keys.length === 0) {
      // The keys that were withdrawn must not come back with a restart.
      this.#snapshotAtMs = -Infinity;
      this.deps.snapshots?.remove(this.issuer);
      return;
    }
    const nowMs = this.deps.clock.now();
    if (!changed && nowMs - this.#snapshotAtMs < SNAPSHOT_INTERVAL_MS) return;
    this.#snapshotAtMs = nowMs;
    const { fetchedAtMs, ttlMs, set } = held;
    const { issuer, source } = this;
    this.deps.snapshots?.save({ issuer, source }, { jwks: serializeKeySet(set), fetchedAtMs, ttlMs });
  }

  /** A snapshot that has not expired is as good as the cache it came from; an older one waits for a failure. */
  #loadSnapshot(): void {
    const held = this.#readSnapshot();
    if (held === undefined) return;
    const nowMs = this.deps.clock.now();
    if (held.fetchedAtMs > nowMs + MAX_CLOCK_DIFFERENCE_MS) return;
    if (nowMs < this.#held.expiresAtMs(held)) this.#held.install(held);
    else this.#standby = held;
  }

  #readSnapshot(): TimedKeySet | undefined {
    const { issuer, source } = this;
    const snapshot = this.deps.snapshots?.load({ issuer, source });
    if (snapshot === undefined) return undefined;
    try {
      return { ...snapshot, set: parseKeySet(snapshot.jwks), source: 'snapshot' };
    } catch (error) {
      this.deps.logger.warn({ issuer, reason: failureCode(error) }, 'the key snapshot is ignored');
      return undefined;
    }
  }
}
