import type { Config } from '../config/config.js';

/** One process or many, behind the same few verbs. */
export interface Service {
  /** Puts a configuration in force. @throws when it can not be; the old one stays */
  apply(config: Config): Promise<void>;
  reloaded(outcome: 'success' | 'failure'): void;
  /** Takes no new work, lets what is in flight end within the time, closes everything. */
  drain(timeoutMs: number): Promise<void>;
}
