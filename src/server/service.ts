import type { Config } from '../config/config.js';

/** How a drain goes, milliseconds. */
export interface DrainTimes {
  /** How long NOT_SERVING is reported before the port stops taking work. */
  readonly delayMs: number;
  /** How long Checks under way may take to end after that. */
  readonly timeoutMs: number;
}

/** One process or many, behind the same few verbs. */
export interface Service {
  /** Puts a configuration in force. @throws when it cannot; the old one stays */
  apply(config: Config): Promise<void>;
  /** Opens the audit log again, after its file was renamed. */
  reopenAudit(): void;
  /** Counts a reload. */
  reloaded(outcome: 'success' | 'failure'): void;
  /** Reports NOT_SERVING, then takes no new work, lets what is in flight end within the time, closes everything. */
  drain(times: DrainTimes): Promise<void>;
}
