import type { Config } from '../config/config.js';
import type { Clock } from '../ports.js';
import { createGuardedReplay, type GuardedReplayStore } from '../stores/guarded-replay.js';
import type { RedisConnection } from '../stores/redis-connection.js';
import { createReplayMemory } from '../stores/replay-memory.js';
import { createReplayRedis } from '../stores/replay-redis.js';
import type { ProofWindow } from '../stores/replay-store.js';

/** What a replay store is made with. */
export interface ReplayParts {
  /** undefined: spent proofs are remembered in the memory of this process. */
  readonly redis: RedisConnection | undefined;
  readonly clock: Clock;
  /** The configuration in force. */
  readonly config: () => Config;
}

/** Which `iat` a configuration accepts. */
export function proofWindowOf({ dpop }: Config): ProofWindow {
  return { maxAgeMs: dpop.maxAge, clockToleranceMs: dpop.clockTolerance };
}

/**
 * Creates the replay store of a configuration, guarded against proofs that it cannot know. A store in memory begins now;
 * Redis outlives the process.
 */
export function createReplay({ redis, clock, config }: ReplayParts): GuardedReplayStore {
  const { maxEntries, beforeStart } = config().replay;
  const store =
    redis === undefined
      ? createReplayMemory({ maxEntries, clock })
      : createReplayRedis({ connection: redis, clock, window: () => proofWindowOf(config()) });
  const refusesEarlier = redis === undefined && beforeStart === 'refuse';
  return createGuardedReplay(store, {
    clock,
    window: proofWindowOf(config()),
    beganAtMs: refusesEarlier ? clock.now() : undefined,
  });
}
