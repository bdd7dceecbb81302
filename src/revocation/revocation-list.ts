import type { VerifiedToken } from '../authz/types.js';
import type { Clock } from '../ports.js';
import { RevocationIndex } from './revocation-index.js';
import type { RevocationChange, RevocationUpdate } from './revocation-store.js';

/** How often what has ended is forgotten, milliseconds, and how much of it at once: a few milliseconds' work. */
const SWEEP_EVERY_MS = 500;
const SWEEP_MAX = 5000;

/** Calls back at intervals until it is told to stop. */
export type Every = (intervalMs: number, run: () => void) => () => void;

/** What a list lives by. */
export interface RevocationListOptions {
  readonly clock: Clock;
  readonly every: Every;
}

/**
 * The revocations that a process judges tokens by. It is told of changes, and of times in which it may have missed some;
 * it asks nobody.
 */
export class RevocationList {
  readonly index: RevocationIndex;
  /** Since when changes may be missing, milliseconds since the epoch; -Infinity: it never had any state. */
  staleSinceMs: number | undefined;
  readonly #stopSweeping: () => void;

  constructor({ clock, every }: RevocationListOptions) {
    this.index = new RevocationIndex(clock.now());
    this.#stopSweeping = every(SWEEP_EVERY_MS, () => this.index.sweep(clock.now(), SWEEP_MAX));
  }

  /** Takes in what a store or another process reports. */
  apply({ put, removed }: RevocationChange): void {
    for (const revocation of put) this.index.put(revocation);
    for (const id of removed) this.index.remove(id);
  }

  /** Takes in what the owner of the store tells. */
  update({ change, staleSinceMs }: RevocationUpdate): void {
    this.apply(change);
    this.staleSinceMs = staleSinceMs;
  }

  /** See `RevocationIndex.isRevoked`. */
  isRevoked(token: VerifiedToken, credentialText: string, nowMs: number): boolean {
    return this.index.isRevoked(token, credentialText, nowMs);
  }

  /** For how long changes may have been missed, milliseconds; 0: none were; Infinity: there never was any state. */
  staleForMs(nowMs: number): number {
    return this.staleSinceMs === undefined ? 0 : Math.max(0, nowMs - this.staleSinceMs);
  }

  /** Ends the sweeping. */
  close(): void {
    this.#stopSweeping();
  }
}
