import { open } from 'node:fs/promises';
import type { SqliteDatabase } from 'kysely';
import Database from 'libsql';

/**
 * How long a call blocks where another process holds the database, milliseconds. Short: the event loop stands still
 * meanwhile. Who needs longer tries again after a pause that does not block.
 */
const BUSY_TIMEOUT_MS = 25;

/**
 * Opens an SQLite file with a write-ahead log that is synchronized with every commit: what was acknowledged survives a
 * killed process and a power failure. It must not lie on a network file system.
 *
 * @param path of the file; it is created, readable for its owner alone, where it is missing. Its folder must exist
 */
export async function openSqliteDatabase(path: string): Promise<SqliteDatabase> {
  // SQLite would create it readable for everybody, and gives its other files the same mode.
  await (await open(path, 'a', 0o600)).close();
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.prepare('pragma journal_mode = wal').all();
    database.prepare('pragma synchronous = full').run();
  } catch (error) {
    database.close();
    throw error;
  }
  return beginningWithTheLock(database);
}

/** What begins a transaction here. All of them write: they take the lock as they begin, not when it may be too late. */
const BEGINNINGS = new Map([
  ['begin', 'begin immediate'],
  ['begin exclusive', 'begin exclusive'],
]);

/**
 * Begins transactions by `exec`: a prepared statement that finds the database locked stays open in this client, and keeps
 * the connection from committing later.
 */
function beginningWithTheLock(database: Database.Database): SqliteDatabase {
  const prepare = (text: string): unknown => {
    const beginning = BEGINNINGS.get(text);
    if (beginning === undefined) return database.prepare(text);
    const run = (): object => {
      database.exec(beginning);
      return { changes: 0, lastInsertRowid: 0 };
    };
    return { reader: false, run };
  };
  return { prepare: prepare as SqliteDatabase['prepare'], close: () => void database.close() };
}

/** Does this error mean that another process holds the database? */
export function isSqliteBusy(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED';
}
