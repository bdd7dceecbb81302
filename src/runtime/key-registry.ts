/** The key sets of all issuers of a configuration, by its own words. They outlive configurations. */
import type { Config, IssuerConfig } from '../config/config.js';
import { publishedKeysOf } from '../signing/key-set.js';
import { createClientIssuers } from './client-issuers.js';
import type { KeySource } from '../jwks/key-source.js';
import { systemScheduler, type KeySetFetcher } from '../jwks/ports.js';
import { createKeySetRegistry, type KeySetRegistry, type RegistrySettings } from '../jwks/registry.js';
import { createSnapshotStore } from '../jwks/snapshot-store.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { Metrics } from '../observability/metric-ports.js';
import { systemClock, type Logger } from '../ports.js';

/** What a key registry is made with. */
export interface KeyRegistryParts {
  readonly fetcher: KeySetFetcher;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'jwksFetched' | 'clientKeyFileRefused'>;
}

/** Key sets by issuer of the configuration. */
export interface KeyRegistry extends Omit<KeySetRegistry, 'forIssuer' | 'configure'> {
  /** The keys of an issuer. An unchanged entry gets the very same object. @throws KeySourceError */
  keysOf(issuer: IssuerConfig): IssuerKeys;
  /** The keys of our own issuer: an issuer's like others, but never fetched. undefined: nothing is issued. */
  ownKeys(config: Config): IssuerKeys | undefined;
  /** Takes over the `jwks` section. */
  configure(config: Config): void;
}

/** Creates the registry. Fetches nothing until it is started, or keys are asked for. */
export function createKeyRegistry(config: Config, { fetcher, log, metrics }: KeyRegistryParts): KeyRegistry {
  const { snapshotDir } = config.jwks;
  const registry = createKeySetRegistry({
    settings: registrySettingsOf(config),
    fetcher,
    clock: systemClock,
    scheduler: systemScheduler,
    // Jitter: nothing secret depends on it.
    // eslint-disable-next-line no-restricted-properties -- this is the one place where it is injected from
    random: () => Math.random(),
    logger: log,
    metrics: { fetched: (issuer, outcome) => metrics.jwksFetched(issuer, outcome) },
    snapshots: snapshotDir === undefined ? undefined : createSnapshotStore(snapshotDir, { logger: log }),
  });
  const clients = createClientIssuers({ clock: systemClock, logger: log, metrics });
  return {
    keysOf: (issuer) =>
      issuer.clientKeys === undefined
        ? registry.forIssuer({ issuer: issuer.issuer, source: keySourceOf(issuer) })
        : clients.keysOf(issuer.issuer, issuer.clientKeys),
    ownKeys: ({ tokens }) =>
      tokens?.service === undefined
        ? undefined
        : registry.forIssuer({
            issuer: tokens.issuer,
            source: { kind: 'jwks', jwks: publishedKeysOf(tokens.keys) },
          }),
    configure: (next) => registry.configure(registrySettingsOf(next)),
    retain: (inUse) => {
      registry.retain(inUse);
      clients.retain(inUse);
    },
    start: () => registry.start(),
    invalidate: (issuer, options) => registry.invalidate(issuer, options),
    status: () => registry.status(),
    lacking: () => registry.lacking(),
    close: async () => {
      clients.close();
      await registry.close();
    },
  };
}

/** The `jwks` section as the registry takes it. */
export function registrySettingsOf({ jwks }: Config): RegistrySettings {
  return {
    maxIssuers: jwks.maxIssuers,
    minTtlMs: jwks.minTtl,
    maxTtlMs: jwks.maxTtl,
    cooldownMs: jwks.cooldown,
    staleIfErrorMs: jwks.staleIfError,
    timeoutMs: jwks.timeout,
    maxBytes: jwks.maxBytes,
    allowHttp: jwks.allowHttp,
  };
}

/** Where the keys of an issuer come from. */
export function keySourceOf({ discovery, jwksUri, jwks, keys }: IssuerConfig): KeySource {
  if (jwksUri !== undefined) return { kind: 'jwksUri', jwksUri };
  if (jwks !== undefined) return { kind: 'jwks', jwks };
  if (keys !== undefined) return { kind: 'keys', keys };
  return typeof discovery === 'string'
    ? { kind: 'discovery', metadataUrl: discovery }
    : { kind: 'discovery' };
}
