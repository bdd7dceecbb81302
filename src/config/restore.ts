import type { Config, PolicyConfig } from './config.js';
import { deepFreeze } from './freeze.js';

/**
 * Restores what a configuration loses when it is copied between threads or processes: it is frozen again, and mappings
 * with free keys have no prototype again, so that a policy named `constructor` exists only where it is configured.
 *
 * @param config a structured or JSON copy of a configuration that `loadConfig()` made; it is not checked again
 * @returns a frozen configuration
 */
export function restoreConfig(config: Config): Config {
  const { policies, server, identity } = config;
  const restored: Config = {
    ...config,
    policies: withoutPrototype(
      Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, restorePolicy(policy)])),
    ),
    server: { ...server, authorities: withoutPrototype(server.authorities) },
    identity: { ...identity, headers: withoutPrototype(identity.headers) },
  };
  return deepFreeze(restored);
}

function restorePolicy(policy: PolicyConfig): PolicyConfig {
  return policy.claims === undefined ? policy : { ...policy, claims: withoutPrototype(policy.claims) };
}

function withoutPrototype<T extends object>(mapping: T): T {
  return Object.assign(Object.create(null) as T, mapping);
}
