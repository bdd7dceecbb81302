import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import Database from 'libsql';
import { silentLogger, systemClock, type Logger } from '../../src/ports.js';
import { StoreUnavailableError, type TokenStore } from '../../src/token-service/store.js';
import { openTokenStore } from '../../src/token-service/stores/open-token-store.js';
import { describeStore, tokenRecord } from './store-suite.js';

const folder = (): string => mkdtempSync(join(tmpdir(), 'portcullis-sqlite-'));

describeStore('SQLite', () => {
  const dir = folder();
  return Promise.resolve({
    settings: { type: 'sqlite', path: join(dir, 'tokens.db') } as const,
    remove: async () => rmSync(dir, { recursive: true }),
  });
});

async function withStore(
  path: string,
  work: (store: TokenStore) => Promise<void>,
  logger: Logger = silentLogger,
): Promise<void> {
  const store = await openTokenStore({ type: 'sqlite', path }, { clock: systemClock, logger });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

test('createSqliteBackend() creates files that only their owner may read', async () => {
  const path = join(folder(), 'tokens.db');
  await withStore(path, async (store) => {
    await store.insert(tokenRecord('one'));
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o077).toBe(0);
  });
});

test('createSqliteBackend() keeps what was written for the next process', async () => {
  const path = join(folder(), 'tokens.db');
  await withStore(path, async (store) => {
    await store.insert(tokenRecord('one', { roles: ['x'] }));
  });
  await withStore(path, async (store) => {
    expect(await store.get('one')).toEqual(tokenRecord('one', { roles: ['x'] }));
  });
});

test('createSqliteBackend() waits for another process that holds the database', async () => {
  const path = join(folder(), 'tokens.db');
  await withStore(path, async (store) => {
    await store.ping();
    const other = new Database(path);
    other.exec('begin immediate');
    const inserted = store.insert(tokenRecord('one'));
    setTimeout(() => other.exec('commit'), 100);
    expect(await inserted).toBe(true);
    other.close();
  });
});

test.each([
  ['its folder is missing', (dir: string) => join(dir, 'missing', 'tokens.db')],
  [
    'it is no database',
    (dir: string) => {
      writeFileSync(join(dir, 'text.db'), 'this is a text, and a long one at that\n'.repeat(100));
      return join(dir, 'text.db');
    },
  ],
  [
    'a newer release has written it',
    (dir: string) => {
      const db = new Database(join(dir, 'newer.db'));
      db.exec(
        'create table portcullis_migrations (version integer primary key); insert into portcullis_migrations values (99)',
      );
      db.close();
      return join(dir, 'newer.db');
    },
  ],
])('createSqliteBackend() is not available where %s, and says so once', async (_name, place) => {
  const lines: string[] = [];
  const note = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  await withStore(
    place(folder()),
    async (store) => {
      await expect(store.get('one')).rejects.toThrow(StoreUnavailableError);
      await expect(store.get('one')).rejects.toThrow(StoreUnavailableError);
      expect(lines).toHaveLength(1);
    },
    { ...silentLogger, error: note },
  );
});

test('createSqliteBackend() opens a database that appears later', async () => {
  const dir = folder();
  const late = join(dir, 'late');
  await withStore(join(late, 'tokens.db'), async (store) => {
    await expect(store.ping()).rejects.toThrow(StoreUnavailableError);
    renameSync(folder(), late);
    await store.ping();
    expect(await store.insert(tokenRecord('one'))).toBe(true);
  });
});
