import type { VerificationKey } from '../jwk/types.js';
import { retryDelayMs } from './back-off.js';
import { EmptySetConfirmation } from './empty-set-confirmation.js';
import type { FetchedKeysDependencies } from './fetched-keys-dependencies.js';
import { HeldKeySet, type TimedKeySet } from './held-key-set.js';
import { IssuerSnapshots } from './issuer-snapshots.js';
import { failureCode, type KeySetFailureCode } from './key-set-error.js';
import { type KeySet, NO_KEYS, noUsableKeys, readKeySet } from './key-set.js';
import type { FetchedSource } from './key-source.js';
import { type Attempt, Refresher } from './refresher.js';
import { type IssuerKeys, KeysUnavailableError } from './types.js';
import { WaitingChecks } from './waiting-checks.js';

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
  readonly #waiting: WaitingChecks;
  readonly #snapshots: IssuerSnapshots;
  readonly #emptySets: EmptySetConfirmation;

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
    this.#waiting = new WaitingChecks(() => deps.settings().cooldownMs);
    this.#snapshots = new IssuerSnapshots({ issuer, source }, deps);
    this.#emptySets = new EmptySetConfirmation(deps.clock, () => deps.settings().cooldownMs);
    this.#refresher = new Refresher<TimedKeySet>({
      fetch: (attempt) => this.#fetch(attempt),
      accept: (held) => this.#accept(held),
      failed: (error, retryInMs) => this.#failed(error, retryInMs),
      refreshInMs: () =>
        this.#fetchesEachTime() ? undefined : this.#held.refreshInMs(deps.clock.now(), deps.random),
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
  /** Were the keys unloaded to make room? */
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
      this.#snapshots.remove();
    }
    this.#started = true;
    this.#evicted = false;
    return this.#refresher.restart();
  }
  /** Call it when the settings have changed. */
  reconfigured(): void {
    if (!this.#closed) this.#refresher.reschedule();
  }

  /** Unloads the keys and ends all activity, until the next use. */
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

  /** A snapshot that has not expired is as good as the cache it came from; an older one waits for a failure. */
  #wake(): void {
    this.#started = true;
    this.#evicted = false;
    const held = this.#snapshots.load();
    if (held === undefined) return;
    if (this.deps.clock.now() < this.#held.expiresAtMs(held)) this.#held.install(held);
    else this.#standby = held;
  }

  #fetchesEachTime(): boolean {
    return this.deps.settings().maxTtlMs === 0;
  }

  async #findAfterFetch(
    kid: string | undefined,
    alg: string,
    nowMs: number,
  ): Promise<readonly VerificationKey[]> {
    const find = (succeeded: boolean): readonly VerificationKey[] => {
      const set = this.#decide(succeeded);
      if (set === undefined) throw this.#unavailable();
      return set.find(kid, alg);
    };
    const backOffMs = this.#fetchesEachTime() ? 0 : this.#refresher.backOffMs(nowMs);
    // A Check that comes while an attempt is under way waits for it; between attempts it does not wait.
    const mayWait = !this.#closed && !this.#waiting.isFull && (this.#refresher.inFlight || backOffMs <= 0);
    return mayWait ? this.#await(find) : find(false);
  }

  /** May this unknown kid wait for a fetch, and does it start one? However many kids are made up: one per cooldown. */
  #mayAskForUnknown(nowMs: number): boolean {
    if (this.#closed || this.#waiting.isFull) return false;
    if (this.#refresher.inFlight) return true;
    return this.#refresher.backOffMs(nowMs) <= 0 && this.#waiting.takeUnknownKid(nowMs);
  }

  #await<R>(then: (succeeded: boolean) => R): Promise<R> {
    return this.#waiting.wait(async () => then(await this.start()));
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
    const wasEmpty = this.#held.latest?.set.keys.length === 0;
    if (!isEmpty) this.#emptySets.reset();
    else if (!wasEmpty && !this.#emptySets.confirm()) throw noUsableKeys(held.set);
    const changed = this.#held.install(held);
    this.#standby = undefined;
    this.#lastError = undefined;
    metrics.fetched(this.issuer, 'success');
    this.#snapshots.save(held, changed);
    if (!changed) return;
    const { keys, skipped } = held.set;
    logger.info({ issuer: this.issuer, keys: keys.length, skipped }, 'the issuer has new keys');
  }

  #failed(error: unknown, retryInMs: number): void {
    const { logger, metrics, clock } = this.deps;
    const code = failureCode(error);
    this.#lastError = code;
    metrics.fetched(this.issuer, code);
    if (this.#standby !== undefined && this.#held.latest === undefined) this.#held.install(this.#standby);
    const serving = this.#held.servable(clock.now()) !== undefined;
    const detail = error instanceof Error ? error.message : 'unknown';
    const what = 'the keys could not be fetched';
    const fields = { issuer: this.issuer, reason: code, detail, failures: this.failures, retryInMs, serving };
    logger.warn(fields, serving ? `${what}; the last good ones are used` : what);
  }
}
