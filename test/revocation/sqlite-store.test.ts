import { statSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Kysely, SqliteDialect } from 'kysely';
import type { Revocation } from '../../src/revocation/revocation.js';
import { createSqliteRevocationStore } from '../../src/revocation/sqlite-store.js';
import type { RevocationTables } from '../../src/revocation/sqlite-schema.js';
import type { RevocationStore } from '../../src/revocation/revocation-store.js';
import { openSqliteDatabase } from '../../src/stores/sqlite-database.js';
import { scratchFile } from '../support/processes.mjs';
import { NOW_S } from '../support/tokens.js';
import { until } from '../support/until.js';
import { revocation } from './revocations.js';

const opened: RevocationStore[] = [];
afterAll(async () => {
  for (const store of opened) await store.close();
});

async function open(path: string): Promise<{ store: RevocationStore; held: Map<string, Revocation> }> {
  const store = createSqliteRevocationStore(path);
  opened.push(store);
  const held = new Map<string, Revocation>();
  await store.open(
    ({ put, removed }) => {
      for (const one of put) held.set(one.id, one);
      for (const id of removed) held.delete(id);
    },
    () => held.values(),
  );
  return { store, held };
}

describe('createSqliteRevocationStore()', () => {
  test('gives back every member of what it was given', async () => {
    const path = scratchFile('revocations.db');
    const { store } = await open(path);
    const all = [
      revocation({ kind: 'jti', value: "j'; drop table x; --" }, { reason: 'Grund: ü' }),
      revocation({ kind: 'sid', value: 's', subject: 'u' }),
      revocation({ kind: 'sid', value: 's' }),
      revocation({ kind: 'sub', value: 'u' }, { beforeS: NOW_S + 0.5, source: 'logout' }),
      revocation({ kind: 'token', value: 'h' }, { jti: 'j' }),
    ];
    for (const one of all) expect(await store.add(one)).toEqual(one);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await open(path);
    expect([...again.held.values()]).toEqual(all);
  });

  test('joins two of one target, and keeps the first id', async () => {
    const path = scratchFile('revocations.db');
    const { store } = await open(path);
    const first = revocation({ kind: 'sub', value: 'u' }, { beforeS: 10, heldUntilS: NOW_S + 50 });
    await store.add(first);
    await store.add(revocation({ kind: 'sub', value: 'u' }, { beforeS: 20, heldUntilS: NOW_S + 5 }));
    expect([...(await open(path)).held.values()]).toEqual([{ ...first, beforeS: 20 }]);
  });

  test('forgets what was taken back', async () => {
    const path = scratchFile('revocations.db');
    const { store, held } = await open(path);
    const one = await store.add(revocation({ kind: 'jti', value: 'j' }));
    await store.remove(one);
    expect([held.size, (await open(path)).held.size]).toEqual([0, 0]);
  });

  test('sweeps what has ended', async () => {
    const path = scratchFile('revocations.db');
    const { store } = await open(path);
    await store.add(revocation({ kind: 'jti', value: 'a' }, { heldUntilS: NOW_S - 1 }));
    await store.add(revocation({ kind: 'jti', value: 'b' }, { heldUntilS: NOW_S + 9 }));
    store.sweep(NOW_S * 1000);
    await until(async () => (await open(path)).held.size === 1);
  });

  test('migrates once where several open it at the same time', async () => {
    const path = scratchFile('revocations.db');
    await expect(Promise.all([open(path), open(path), open(path)])).resolves.toHaveLength(3);
  });

  test('refuses a file of a newer release', async () => {
    const path = scratchFile('revocations.db');
    await open(path);
    const db = new Kysely<RevocationTables>({
      dialect: new SqliteDialect({ database: () => openSqliteDatabase(path) }),
    });
    await db.insertInto('portcullis_revocation_schema').values({ version: 99 }).execute();
    await db.destroy();
    await expect(open(path)).rejects.toThrow(/newer release/);
  });

  test('refuses a folder that is not there', async () => {
    await expect(open('/nonexistent/revocations.db')).rejects.toThrow(/ENOENT/);
  });
});
