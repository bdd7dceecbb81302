import type { Config } from '../config/config.js';
import { createIntrospections, type Introspections } from '../introspections.js';
import type { Metrics } from '../observability/metric-ports.js';
import { systemClock, type Logger } from '../ports.js';
import type { RedisAccess } from '../stores/redis-access.js';
import { createRedisTexts } from '../stores/redis-texts.js';
import { stopwatch } from './check-guard.js';
import type { KeyRegistry } from './key-registry.js';

/** What a process that asks issuers about tokens brings. */
export interface IntrospectionParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly redis: RedisAccess;
  /** true: answers are kept for other processes; a process that answers Checks itself keeps verified tokens instead. */
  readonly remembers: boolean;
}

/** Creates the introspections of a process that asks issuers itself. */
export function openIntrospections(config: Config, parts: IntrospectionParts): Introspections {
  const { log, metrics, redis, remembers } = parts;
  return createIntrospections({
    clock: systemClock,
    logger: log,
    metrics,
    stopwatch,
    store: config.redis === undefined ? undefined : createRedisTexts(redis),
    remembers,
  });
}

/** Puts a configuration in force where no gate does: for a process that asks issuers for others. */
export function useIntrospections(introspections: Introspections, config: Config, keys: KeyRegistry): void {
  const inForce = config.issuers.flatMap((issuer) => {
    if (issuer.introspection === undefined) return [];
    return introspections.forIssuer(config, issuer, keys.keysOf(issuer)) ?? [];
  });
  introspections.use(inForce);
}
