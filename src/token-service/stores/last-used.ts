import type { Cancel, Scheduler } from '../../jwks/ports.js';
import type { TokenRecord } from '../store.js';
import type { LastUse } from './token-backend.js';

/** How notes of use reach the database. */
export interface LastUsedOptions {
  /** Writes some; may fail, and is tried again then. */
  readonly write: (uses: readonly LastUse[]) => Promise<void>;
  readonly scheduler: Scheduler;
  /** How long notes are gathered, milliseconds. */
  readonly intervalMs?: number;
  /** How many tokens are noted at most; beyond it a token's use goes unnoted. */
  readonly maxEntries?: number;
}

const DEFAULT_INTERVAL_MS = 15_000;
const DEFAULT_MAX_ENTRIES = 10_000;
/** So many are written in one go. */
const CHUNK = 100;

/**
 * Gathers when tokens were used, and writes it from time to time: a busy token costs one small write per interval, not
 * one per use. Notes of a failed write are kept for the next one.
 */
export class LastUsedNotes {
  private readonly noted = new Map<string, number>();
  private cancel: Cancel | undefined;

  constructor(private readonly options: LastUsedOptions) {}

  /** Notes a use; the latest counts. */
  note(tokenId: string, usedAt: number): void {
    const before = this.noted.get(tokenId);
    if (before === undefined && this.noted.size >= (this.options.maxEntries ?? DEFAULT_MAX_ENTRIES)) return;
    if (before === undefined || before < usedAt) this.noted.set(tokenId, usedAt);
    this.cancel ??= this.options.scheduler.after(this.options.intervalMs ?? DEFAULT_INTERVAL_MS, () => {
      this.cancel = undefined;
      void this.flush().catch(() => this.rearm());
    });
  }

  /** @returns the record with what is noted and not yet written */
  overlay(record: TokenRecord): TokenRecord {
    const usedAt = this.noted.get(record.tokenId);
    return usedAt === undefined || usedAt <= (record.lastUsedAt ?? 0)
      ? record
      : { ...record, lastUsedAt: usedAt };
  }

  /** Writes everything that is noted. @throws what the write throws; the rest stays noted then */
  async flush(): Promise<void> {
    const uses = [...this.noted].sort(([left], [right]) => (left < right ? -1 : 1));
    for (let start = 0; start < uses.length; start += CHUNK) {
      const chunk = uses.slice(start, start + CHUNK);
      await this.options.write(chunk);
      for (const [tokenId, usedAt] of chunk) {
        if (this.noted.get(tokenId) === usedAt) this.noted.delete(tokenId);
      }
    }
  }

  /** Gathers no longer. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private rearm(): void {
    const [first] = this.noted;
    if (first !== undefined) this.note(...first);
  }
}
