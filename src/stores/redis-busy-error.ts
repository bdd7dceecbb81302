/** Too many commands wait for Redis. Load brings this about, so clients can: it is no outage. */
export class RedisBusyError extends Error {
  override readonly name = 'RedisBusyError';
}
