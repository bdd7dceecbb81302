import type { RedisAccess } from './redis-access.js';

/** Texts in Redis. The connection is opened by the first use. */
export interface RedisTexts {
  /** @throws Error when there is no answer in time */
  get(key: string): Promise<string | undefined>;
  /** @throws Error when there is no answer in time */
  set(key: string, value: string, ttlMs: number): Promise<void>;
}

/** Creates them, on the one connection of the process. */
export function createRedisTexts(access: RedisAccess): RedisTexts {
  return {
    get: async (key) => (await access.open()).get(key),
    set: async (key, value, ttlMs) => (await access.open()).set(key, value, ttlMs),
  };
}
