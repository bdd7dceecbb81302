import type { RevocationConfig } from '../config/config.js';
import type { Clock, Logger } from '../ports.js';
import { createMemoryRevocationStore } from './memory-store.js';
import type { RevocationSource } from './revocation.js';
import type { Every } from './revocation-list.js';
import { RevocationService } from './revocation-service.js';
import type { RevocationStore } from './revocation-store.js';

/** What the revocations of a process are opened with. */
export interface OpenRevocationsOptions {
  /** The configuration in force; the store itself is chosen once. */
  readonly config: () => RevocationConfig;
  readonly clock: Clock;
  readonly every: Every;
  readonly logger: Logger;
  readonly metrics: { revoked(source: RevocationSource): void };
}

/**
 * Opens the store of the configuration and loads what it holds, for the process that owns it.
 *
 * @throws Error when the store cannot be used
 */
export async function openRevocations(options: OpenRevocationsOptions): Promise<RevocationService> {
  const service = new RevocationService({
    ...options,
    store: await createStore(options),
    maxEntries: () => options.config().maxEntries,
  });
  await service.open();
  return service;
}

function createStore(_options: OpenRevocationsOptions): Promise<RevocationStore> {
  return Promise.resolve(createMemoryRevocationStore());
}
