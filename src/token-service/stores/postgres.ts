import { Kysely, PostgresDialect, sql, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Logger } from '../../ports.js';
import { createSqlBackend } from './sql-backend.js';
import type { TokenTables } from './sql-schema.js';
import type { TokenBackend } from './token-backend.js';

/** How PostgreSQL is reached. */
export interface PostgresBackendOptions {
  /** `postgres://user:password@host/database?sslmode=verify-full`; holds a secret, and is never logged. */
  readonly url: string;
  readonly logger: Logger;
}

const CONNECT_TIMEOUT_MS = 2000;
const QUERY_TIMEOUT_MS = 4000;
const IDLE_IN_TRANSACTION_MS = 10_000;
const MAX_CONNECTIONS = 10;

/** Of the advisory lock under which the schema is migrated: "portcull" as a number. */
const MIGRATION_LOCK = 0x706f7274;

/** SQLSTATE of a serialization failure and of a deadlock: the transaction may be tried again. */
const CONFLICTS: ReadonlySet<unknown> = new Set(['40001', '40P01']);

/** Keeps tokens in PostgreSQL 13 or later. The user needs the right to create tables in its schema. */
export function createPostgresBackend({ url, logger }: PostgresBackendOptions): TokenBackend {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: 'portcullis',
  });
  // An idle connection that breaks is an event, and an event without a listener ends the process.
  pool.on('error', (error) => logger.debug({ reason: error.message }, 'an idle PostgreSQL connection broke'));
  const db = new Kysely<TokenTables>({ dialect: new PostgresDialect({ pool: discardBroken(pool) }) });
  return createSqlBackend({
    db,
    idType: 'text collate "C"',
    beginExclusively: async (connection) => {
      await sql`begin`.execute(connection);
      await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(connection);
    },
    isConflict: (error) => error instanceof Error && 'code' in error && CONFLICTS.has(error.code),
  });
}

/**
 * A connection whose query found no answer is closed: the answer may never come, and the next user of the connection
 * would wait for it.
 */
function discardBroken(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => guardClient(await pool.connect()),
    end: () => pool.end(),
  };
}

function guardClient(client: pg.PoolClient): PostgresPoolClient {
  let isBroken = false;
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (isBroken) throw new Error('the connection was given up');
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      // Errors of the server carry a severity; all others are about the connection.
      isBroken = !(error instanceof Error && 'severity' in error);
      throw error;
    }
  };
  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(isBroken || destroy === true),
  };
}
