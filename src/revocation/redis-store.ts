import type { Clock } from '../ports.js';
import type { RedisConnection } from '../stores/redis-connection.js';
import {
  createRedisRevocations,
  fieldOf,
  type RedisRevocations,
  type StoredRevocation,
} from './redis-commands.js';
import type { Revocation } from './revocation.js';
import type { Every } from './revocation-list.js';
import type { ReportChange, RevocationStore } from './revocation-store.js';

/** What the store is made of. */
export interface RedisRevocationStoreOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly every: Every;
}

/** How often Redis is asked what is new, milliseconds: a replica learns of a revocation within this. */
const POLL_EVERY_MS = 200;
/** A poll that is missed once is no gap yet. */
const GAP_AFTER_MS = 1000;
const SWEEP_EVERY_MS = 10_000;
/** The clocks of replicas may differ: what has ended here may still count there. */
const SWEEP_DELAY_S = 120;
/** How long the start waits for Redis, milliseconds. Then it goes on without, and `onUnavailable` decides. */
const START_PATIENCE_MS = 2000;
const START_PAUSE_MS = 50;

/**
 * Creates a store that replicas share. Each replica holds everything in memory and asks for what is new. After an outage
 * it compares all of it, and gives back what Redis lost meanwhile. The server must not evict keys.
 */
export function createRedisRevocationStore(options: RedisRevocationStoreOptions): RevocationStore {
  return new RedisStore(options, createRedisRevocations(options.connection));
}

class RedisStore implements RevocationStore {
  private report: ReportChange = () => undefined;
  private held: () => Iterable<Revocation> = () => [];
  /** Up to which change everything is known; undefined: all must be compared. */
  private sequence: number | undefined;
  private inStepAtMs = -Infinity;
  private sweptAtMs = 0;
  private polling: Promise<void> | undefined;
  private stopPolling: () => void = () => undefined;

  constructor(
    private readonly options: RedisRevocationStoreOptions,
    private readonly redis: RedisRevocations,
  ) {}

  async open(report: ReportChange, held: () => Iterable<Revocation>): Promise<void> {
    this.report = report;
    this.held = held;
    for (
      let leftMs = START_PATIENCE_MS;
      leftMs > 0 && this.inStepAtMs === -Infinity;
      leftMs -= START_PAUSE_MS
    ) {
      await this.poll();
      if (this.inStepAtMs === -Infinity) await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
    }
    this.stopPolling = this.options.every(POLL_EVERY_MS, () => void this.poll());
  }

  async add(revocation: Revocation): Promise<Revocation> {
    const kept = await this.redis.add(revocation);
    this.report({ put: [kept], removed: [] });
    return kept;
  }

  async remove(revocation: Revocation): Promise<void> {
    await this.redis.remove(revocation);
    this.report({ put: [], removed: [revocation.id] });
  }

  sweep(nowMs: number): void {
    if (nowMs - this.sweptAtMs < SWEEP_EVERY_MS) return;
    this.sweptAtMs = nowMs;
    // The next one may do better; what has ended counts no more whether it is there or not.
    this.redis.deleteEnded(Math.floor(nowMs / 1000) - SWEEP_DELAY_S).catch(() => undefined);
  }

  isAvailable(): boolean {
    return this.staleSinceMs() === undefined;
  }

  staleSinceMs(): number | undefined {
    return this.options.clock.now() - this.inStepAtMs <= GAP_AFTER_MS ? undefined : this.inStepAtMs;
  }

  async close(): Promise<void> {
    this.stopPolling();
    await this.polling;
  }

  /** One at a time; never rejects. */
  private poll(): Promise<void> {
    this.polling ??= this.catchUp()
      .catch(() => {
        // It may be another server that answers next, or the same one with less.
        this.sequence = undefined;
      })
      .finally(() => (this.polling = undefined));
    return this.polling;
  }

  private async catchUp(): Promise<void> {
    const beganAtMs = this.options.clock.now();
    const latest = await this.redis.sequence();
    if (this.sequence === undefined || latest < this.sequence) {
      this.sequence = undefined;
      await this.compareAll();
      this.sequence = latest;
    } else {
      await this.readChanges(latest);
    }
    this.inStepAtMs = beganAtMs;
  }

  private async readChanges(latest: number): Promise<void> {
    while (this.sequence !== undefined && this.sequence < latest) {
      const { stored, upTo } = await this.redis.changesAfter(this.sequence);
      this.take(stored);
      // Changes that have ended since leave a gap in the numbers.
      this.sequence = upTo > this.sequence ? upTo : latest;
    }
  }

  /** Takes in all that is there, and gives back what was known here and is there no more: Redis has lost it. */
  private async compareAll(): Promise<void> {
    const lost = new Map([...this.held()].map((revocation) => [fieldOf(revocation), revocation]));
    let cursor = '0';
    do {
      const part = await this.redis.scan(cursor);
      this.take(part.stored.values());
      for (const field of part.stored.keys()) lost.delete(field);
      cursor = part.cursor;
    } while (cursor !== '0');
    const nowS = this.options.clock.now() / 1000;
    for (const revocation of lost.values())
      if (revocation.heldUntilS > nowS) await this.redis.add(revocation);
  }

  private take(stored: Iterable<StoredRevocation>): void {
    const put: Revocation[] = [];
    const removed: string[] = [];
    for (const one of stored) {
      if ('put' in one) put.push(one.put);
      else removed.push(one.removed);
    }
    if (put.length + removed.length > 0) this.report({ put, removed });
  }
}
