import type { Clock } from '../ports.js';
import { RedisBusyError } from './redis-busy-error.js';
import { RedisDisconnectedError } from './redis-disconnected-error.js';
import type { RedisConnection } from './redis-connection.js';
import {
  type ProofWindow,
  ReplayDisconnectedError,
  ReplayFullError,
  ReplayUnavailableError,
  type ReplayStore,
} from './replay-store.js';

/** How spent proofs are kept in Redis or Valkey. */
export interface ReplayRedisOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** The window in force. */
  readonly window: () => ProofWindow;
  /** In front of every key, so that others can share the server. */
  readonly keyPrefix?: string;
}

/** Added to the life of an entry, for replicas that get the same proof at different moments. */
const MARGIN_MS = 1000;

/**
 * Creates a replay store that all replicas share: one `SET NX PX` per proof, which the server answers atomically. An entry
 * lives for the whole window of a proof, whatever the clock of the replica that spends it says: another replica, whose
 * clock differs, must not accept the proof again. Closing it does not close the connection, which others may use. The
 * server must not evict keys (`maxmemory-policy noeviction`), and a failover must not lose writes: a spent proof that is
 * lost can be replayed.
 *
 * @see RFC 9449 section 11.1
 */
export function createReplayRedis(options: ReplayRedisOptions): ReplayStore {
  const { connection, clock, window, keyPrefix = 'portcullis:' } = options;
  return {
    async spend({ replayKey, expiresAtMs }) {
      // Past its time it cannot be shown to be unspent.
      const leftMs = expiresAtMs - clock.now();
      if (leftMs < 0) return false;
      const { maxAgeMs, clockToleranceMs } = window();
      // What lives longer than the window (an assertion may) is remembered for as long.
      const lifeMs =
        Math.ceil(Math.max(maxAgeMs + 2 * clockToleranceMs, leftMs + clockToleranceMs)) + MARGIN_MS;
      try {
        return await connection.setIfAbsent(`${keyPrefix}dpop:${replayKey}`, lifeMs);
      } catch (error) {
        if (error instanceof RedisBusyError) throw new ReplayFullError(error.message, { cause: error });
        if (error instanceof RedisDisconnectedError)
          throw new ReplayDisconnectedError(error.message, { cause: error });
        throw new ReplayUnavailableError('the replay store did not answer', { cause: error });
      }
    },
    entries: undefined,
    isAvailable: () => connection.isAvailable(),
    close: () => Promise.resolve(),
  };
}
