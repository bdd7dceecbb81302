import { systemScheduler } from '../../jwks/ports.js';
import type { Clock, Logger } from '../../ports.js';
import type { TokenStore } from '../store.js';
import { createBackedTokenStore } from './backed-token-store.js';
import type { TokenBackend } from './token-backend.js';

/** Where tokens are kept; `tokens.store` of the configuration. */
export type TokenStoreSettings =
  | { readonly type: 'sqlite'; readonly path: string }
  | { readonly type: 'postgres'; readonly url: string }
  | {
      readonly type: 'dynamodb';
      readonly table: string;
      readonly region: string;
      /** Another address than the region's own, such as that of DynamoDB Local. */
      readonly endpoint?: string | undefined;
    };

/** What a store borrows from outside. */
export interface TokenStorePorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens the token store that is configured. Only its own client is loaded. Does not wait for the database: calls do, within
 * their time limit.
 *
 * @param settings from the configuration, trusted
 */
export async function openTokenStore(
  settings: TokenStoreSettings,
  ports: TokenStorePorts,
): Promise<TokenStore> {
  const backend = await loadBackend(settings, ports);
  return createBackedTokenStore(backend, { ...ports, scheduler: systemScheduler });
}

async function loadBackend(settings: TokenStoreSettings, ports: TokenStorePorts): Promise<TokenBackend> {
  switch (settings.type) {
    case 'sqlite': {
      const { createSqliteBackend } = await import('./sqlite.js');
      return createSqliteBackend(settings.path);
    }
    case 'postgres': {
      const { createPostgresBackend } = await import('./postgres.js');
      return createPostgresBackend({ url: settings.url, logger: ports.logger });
    }
    case 'dynamodb': {
      const { createDynamoBackend } = await import('./dynamodb.js');
      return createDynamoBackend(settings);
    }
  }
}
