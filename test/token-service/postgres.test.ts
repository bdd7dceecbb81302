import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLogger, systemClock } from '../../src/ports.js';
import { StoreUnavailableError } from '../../src/token-service/store.js';
import { openTokenStore } from '../../src/token-service/stores/open-token-store.js';
import { stopAll } from '../support/processes.mjs';
import {
  findPostgres,
  POSTGRES_ADVICE,
  startPostgres,
  type PostgresServer,
} from '../support/provision-postgres.mjs';
import { until } from '../support/until.js';
import { describeStore, tokenRecord } from './store-suite.js';

const isThere = findPostgres() !== undefined;

if (!isThere) test.skip(POSTGRES_ADVICE, () => undefined);
else {
  describeStore('PostgreSQL', async () => {
    const server = await startPostgres();
    return {
      settings: { type: 'postgres', url: server.url } as const,
      takeAway: server.stop,
      bringBack: server.start,
      remove: server.remove,
    };
  });

  describe('createPostgresBackend()', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(async () => {
      await server.remove();
      await stopAll();
    });

    test('gives up a server that hangs, and uses it again once it answers', async () => {
      const store = await openTokenStore(
        { type: 'postgres', url: server.url },
        { clock: systemClock, logger: silentLogger },
      );
      try {
        await store.insert(tokenRecord('one'));
        server.signal('SIGSTOP');
        const calls = Array.from({ length: 15 }, () => store.get('one'));
        for (const call of calls) await expect(call).rejects.toThrow(StoreUnavailableError);
        server.signal('SIGCONT');
        await until(() =>
          store.get('one').then(
            (record) => record !== undefined,
            () => false,
          ),
        );
      } finally {
        server.signal('SIGCONT');
        await store.close();
      }
    }, 60_000);

    test('names neither the password nor the URL where the server refuses', async () => {
      const lines: string[] = [];
      const note = (fields: object, message: string): void =>
        void lines.push(`${message} ${JSON.stringify(fields)}`);
      const url = server.url.replace('postgres@', 'nobody:hunter2@');
      const store = await openTokenStore(
        { type: 'postgres', url },
        { clock: systemClock, logger: { ...silentLogger, error: note } },
      );
      const failure: unknown = await store.ping().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StoreUnavailableError);
      expect(String(failure) + lines.join()).not.toMatch(/hunter2|postgres:/);
      await store.close();
    });
  });
}
