import { Kysely, sql, SqliteDialect } from 'kysely';
import { isSqliteBusy, openSqliteDatabase } from '../../stores/sqlite-database.js';
import { createSqlBackend } from './sql-backend.js';
import type { TokenTables } from './sql-schema.js';
import type { TokenBackend } from './token-backend.js';

/**
 * Keeps tokens in an SQLite file. Several processes of one machine may share the file.
 *
 * @param path of the file; it is created, readable for its owner alone, where it is missing. Its folder must exist
 */
export function createSqliteBackend(path: string): TokenBackend {
  const db = new Kysely<TokenTables>({
    dialect: new SqliteDialect({ database: () => openSqliteDatabase(path) }),
  });
  return createSqlBackend({
    db,
    idType: 'text',
    beginExclusively: async (connection) => {
      await sql`begin exclusive`.execute(connection);
    },
    isConflict: isSqliteBusy,
  });
}
