import type { Clock, Logger } from '../ports.js';
import type { KeySetFetcher, KeySetMetrics, KeySetSettings, RandomFraction, Scheduler } from './ports.js';
import type { SnapshotStore } from './snapshot-store.js';

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
