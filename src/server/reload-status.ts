import { createHash } from 'node:crypto';
import type { Clock } from '../ports.js';

/** What came of the latest reload. Problems hold no value of the file. */
export type ReloadOutcome =
  { readonly outcome: 'success' } | { readonly outcome: 'failure'; readonly problems: readonly string[] };

/** What is said of the configuration on the admin port. */
export interface ConfigStatus {
  /** Of the file and the files it names, as they are in force: equal for replicas with equal files. */
  readonly hash: string;
  /** Since when it is in force. */
  readonly loadedAt: string;
  /** The latest attempt to replace it; absent before the first. */
  readonly lastReload?: ReloadOutcome & { readonly at: string };
}

/** Remembers which configuration is in force, and what came of the latest attempt to replace it. */
export class ReloadStatus {
  #status: ConfigStatus;
  #loadedAtMs: number;

  /** @param digests of the files in force, by path */
  constructor(
    digests: Readonly<Record<string, string>>,
    private readonly clock: Clock,
  ) {
    this.#loadedAtMs = clock.now();
    this.#status = { hash: hashOf(digests), loadedAt: this.#now() };
  }

  get current(): ConfigStatus {
    return this.#status;
  }

  /** When the configuration in force was loaded, seconds since the epoch. */
  get loadedAtS(): number {
    return this.#loadedAtMs / 1000;
  }

  /** Did the latest attempt fail? */
  get hasFailed(): boolean {
    return this.#status.lastReload?.outcome === 'failure';
  }

  succeeded(digests: Readonly<Record<string, string>>): void {
    this.#loadedAtMs = this.clock.now();
    const at = this.#now();
    this.#status = { hash: hashOf(digests), loadedAt: at, lastReload: { outcome: 'success', at } };
  }

  /** @param problems in words, without values */
  failed(problems: readonly string[]): void {
    const lastReload = {
      outcome: 'failure',
      at: this.#now(),
      problems: problems.slice(0, MAX_PROBLEMS),
    } as const;
    this.#status = { ...this.#status, lastReload };
  }

  #now(): string {
    return new Date(this.clock.now()).toISOString();
  }
}

const MAX_PROBLEMS = 20;

/** Paths stay out: replicas may keep the same files in different places. */
function hashOf(digests: Readonly<Record<string, string>>): string {
  const sorted = Object.values(digests).sort().join('\n');
  return createHash('sha256').update(sorted).digest('hex').slice(0, 16);
}
