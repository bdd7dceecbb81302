import type { Clock, Logger } from '../ports.js';
import type { RedisConnection } from './redis-connection.js';

/** The one Redis connection of a process, for whoever needs it. */
export interface RedisAccess {
  /**
   * Opens the connection at the first call. It may not be established yet when this resolves.
   *
   * @throws Error where the configuration has no `redis` section
   */
  open(): Promise<RedisConnection>;
  /** Closes the connection, if it was opened. */
  close(): Promise<void>;
}

/**
 * Creates the access. The client is loaded with the first call: it is one of the largest parts of a start.
 *
 * @param url `redis.url`; undefined where there is no such section
 */
export function createRedisAccess(
  url: string | undefined,
  deps: { readonly clock: Clock; readonly log: Logger },
): RedisAccess {
  let opened: Promise<RedisConnection> | undefined;
  const connect = async (): Promise<RedisConnection> => {
    if (url === undefined) throw new Error('redis is not configured');
    const { openRedisConnection } = await import('./redis-connection.js');
    return openRedisConnection({ url, ...deps });
  };
  return {
    open: () => (opened ??= connect()),
    close: async () => {
      const connection = await opened?.catch(() => undefined);
      await connection?.close();
    },
  };
}
