import type { Clock } from '../ports.js';
import { RedisBusyError } from './redis-busy-error.js';
import type { RedisConnection } from './redis-connection.js';
import { ReplayFullError, ReplayUnavailableError, type ReplayStore } from './replay-store.js';

/** How spent proofs are kept in Redis or Valkey. */
export interface ReplayRedisOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** In front of every key, so that others can share the server. */
  readonly keyPrefix?: string;
  /** How far the clocks of replicas may differ, milliseconds: so much longer a spent proof is remembered. */
  readonly clockSkewMs?: number;
}

/**
 * Creates a replay store that all replicas share: one `SET NX PX` a proof, which the server answers atomically. Closing
 * it does not close the connection, which others may use. The server must not evict keys (`maxmemory-policy
 * noeviction`): an evicted proof can be replayed.
 *
 * @see RFC 9449 section 11.1
 */
export function createReplayRedis(options: ReplayRedisOptions): ReplayStore {
  const { connection, clock, keyPrefix = 'portcullis:', clockSkewMs = 1000 } = options;
  return {
    async spend(key, expiresAtMs) {
      const leftMs = Math.ceil(expiresAtMs - clock.now());
      // Past its time it can not be shown to be unspent.
      if (leftMs < 0) return false;
      try {
        return await connection.setIfAbsent(`${keyPrefix}dpop:${key}`, leftMs + clockSkewMs);
      } catch (error) {
        if (error instanceof RedisBusyError) throw new ReplayFullError(error.message, { cause: error });
        throw new ReplayUnavailableError('the replay store did not answer', { cause: error });
      }
    },
    entries: undefined,
    isAvailable: () => connection.isAvailable(),
    close: () => Promise.resolve(),
  };
}
