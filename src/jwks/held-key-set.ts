import { refreshDelayMs } from './back-off.js';
import { clampTtlMs } from './cache-lifetime.js';
import type { KeySet } from './key-set.js';
import type { KeySetSettings, RandomFraction } from './ports.js';

/** Where a set came from. */
type HeldSource = 'network' | 'snapshot';

/** A set with its times. */
export interface TimedKeySet {
  readonly set: KeySet;
  readonly source: HeldSource;
  /** When it was asked for, milliseconds since the epoch. */
  readonly fetchedAtMs: number;
  /** What the issuer allowed; undefined: it said nothing. */
  readonly ttlMs: number | undefined;
}

/**
 * The set an issuer has at the moment, how long it may be served, and its generation. Knows nothing of fetching.
 * Times are computed from the present settings, so that a reload may change them.
 */
export class HeldKeySet {
  #held: TimedKeySet | undefined;
  #generation = 0;
  /** Survives an eviction: the same keys coming back are the same generation. */
  #fingerprint: string | undefined;

  /**
   * @param nextGeneration hands out numbers that were never handed out before
   * @param settings the present ones
   */
  constructor(
    private readonly nextGeneration: () => number,
    private readonly settings: () => KeySetSettings,
  ) {}

  get generation(): number {
    return this.#generation;
  }

  /** The last good set, however old. */
  get latest(): TimedKeySet | undefined {
    return this.#held;
  }

  /**
   * Takes a new set in.
   *
   * @returns whether the keys are other ones than before
   */
  install(held: TimedKeySet): boolean {
    this.#held = held;
    if (held.set.fingerprint === this.#fingerprint) return false;
    this.#fingerprint = held.set.fingerprint;
    this.#generation = this.nextGeneration();
    return true;
  }

  /** Forgets the set, and all that was verified with it. */
  drop(): void {
    this.#held = undefined;
    this.#fingerprint = undefined;
    this.#generation = this.nextGeneration();
  }

  /** @returns milliseconds until the set should be fetched again, before it expires; undefined: there is none */
  refreshInMs(nowMs: number, random: RandomFraction): number | undefined {
    if (this.#held === undefined) return undefined;
    const { fetchedAtMs } = this.#held;
    return refreshDelayMs({ fetchedAtMs, expiresAtMs: this.expiresAtMs(this.#held), nowMs }, random);
  }

  /** Lets go of the set to save memory. */
  unload(): void {
    this.#held = undefined;
  }

  /**
   * The set to decide with: fresh, or stale by less than `staleIfError`.
   *
   * @param nowMs milliseconds since the epoch
   */
  servable(nowMs: number): KeySet | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    return nowMs < this.expiresAtMs(held) + this.settings().staleIfErrorMs ? held.set : undefined;
  }

  /**
   * When a set stops being fresh.
   *
   * @returns milliseconds since the epoch
   */
  expiresAtMs({ fetchedAtMs, ttlMs }: TimedKeySet): number {
    return fetchedAtMs + clampTtlMs(ttlMs, this.settings());
  }
}
