/** There is no connection to Redis. Unlike a slow answer, no load of ours brings this about. */
export class RedisDisconnectedError extends Error {
  override readonly name = 'RedisDisconnectedError';
}
