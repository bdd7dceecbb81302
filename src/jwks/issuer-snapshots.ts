import type { FetchedKeysDependencies } from './fetched-keys-dependencies.js';
import type { TimedKeySet } from './held-key-set.js';
import { failureCode } from './key-set-error.js';
import { parseKeySet, serializeKeySet } from './key-set.js';
import type { FetchedSource } from './key-source.js';

/** A snapshot is written again this often, so that its age is true, and at once when keys change. */
const INTERVAL_MS = 60_000;
/** A snapshot of the future, by more than clocks differ, has a wrong age. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000;

/** The key set of one issuer on disk, for a start while the issuer does not answer. Without a folder it does nothing. */
export class IssuerSnapshots {
  #savedAtMs = -Infinity;

  /** @param of what a snapshot must be of, to be believed */
  constructor(
    private readonly of: { readonly issuer: string; readonly source: FetchedSource },
    private readonly deps: Pick<FetchedKeysDependencies, 'snapshots' | 'clock' | 'logger'>,
  ) {}

  /** @returns the last set that was saved, however old; undefined: none that can be used */
  load(): TimedKeySet | undefined {
    const snapshot = this.deps.snapshots?.load(this.of);
    if (snapshot === undefined) return undefined;
    if (snapshot.fetchedAtMs > this.deps.clock.now() + MAX_CLOCK_DIFFERENCE_MS) return undefined;
    try {
      return { ...snapshot, set: parseKeySet(snapshot.jwks), source: 'snapshot' };
    } catch (error) {
      const { issuer } = this.of;
      this.deps.logger.warn({ issuer, reason: failureCode(error) }, 'the key snapshot is ignored');
      return undefined;
    }
  }

  /**
   * Writes a set that was fetched. One without keys removes the snapshot: keys that were withdrawn must not come back
   * with a restart.
   *
   * @param changed whether it differs from the one before
   */
  save({ set, fetchedAtMs, ttlMs }: TimedKeySet, changed: boolean): void {
    if (set.keys.length === 0) {
      this.remove();
      return;
    }
    const nowMs = this.deps.clock.now();
    if (!changed && nowMs - this.#savedAtMs < INTERVAL_MS) return;
    this.#savedAtMs = nowMs;
    this.deps.snapshots?.save(this.of, { jwks: serializeKeySet(set), fetchedAtMs, ttlMs });
  }

  /** Removes it from disk. The next set is written at once. */
  remove(): void {
    this.#savedAtMs = -Infinity;
    this.deps.snapshots?.remove(this.of.issuer);
  }
}
