import type { Revocation } from './revocation.js';

/** What came or went. */
export interface RevocationChange {
  readonly put: readonly Revocation[];
  /** Ids. */
  readonly removed: readonly string[];
}

/** What those who judge are told: changes, and since when there may be gaps (see `staleSinceMs()`). */
export interface RevocationUpdate {
  readonly change: RevocationChange;
  readonly staleSinceMs: number | undefined;
}

/** Where a store reports what it holds: at its opening, and whenever that changes. */
export type ReportChange = (change: RevocationChange) => void;

/** Keeps revocations. Everything that it holds is in the index of the process as well, which it keeps up to date. */
export interface RevocationStore {
  /**
   * Reports what is there.
   *
   * @param held what was reported and still counts; a store that loses its content gets it back from here
   * @throws Error where the store cannot be used at all
   */
  open(report: ReportChange, held: () => Iterable<Revocation>): Promise<void>;
  /**
   * Keeps a revocation, joined with one of the same target. When it resolves, the revocation is as safe as the store
   * can make it, and was reported.
   *
   * @returns what is kept now
   * @throws RevocationStoreUnavailableError
   */
  add(revocation: Revocation): Promise<Revocation>;
  /** @throws RevocationStoreUnavailableError */
  remove(revocation: Revocation): Promise<void>;
  /** Forgets what has ended, a bounded part at a time. @param nowMs milliseconds since the epoch */
  sweep(nowMs: number): void;
  /** Does it answer? */
  isAvailable(): boolean;
  /**
   * Since when revocations of others may be missing here, milliseconds since the epoch; undefined: nothing is missing;
   * -Infinity: it was never in step.
   */
  staleSinceMs(): number | undefined;
  close(): Promise<void>;
}

/** The store is out of reach, or did not answer in time. */
export class RevocationStoreUnavailableError extends Error {
  override readonly name = 'RevocationStoreUnavailableError';
}

/** As many revocations are held as may be. None is forgotten for a new one. */
export class RevocationsFullError extends Error {
  override readonly name = 'RevocationsFullError';
}
