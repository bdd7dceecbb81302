import { sql, type Kysely } from 'kysely';
import type { TokenTables } from './sql-schema.js';

/** What differs between the SQL databases. */
export interface SqlDialectDetails {
  /** Begins a transaction that holds off every other migration, in this and in other processes. */
  readonly beginExclusively: (db: Kysely<TokenTables>) => Promise<void>;
  /** The type and collation of a tokenId: sorted by code point, whatever the database's locale. */
  readonly idType: string;
}

/** One step of the schema. Once released, a step never changes: what comes later is a further step. */
type Migration = (db: Kysely<TokenTables>, details: SqlDialectDetails) => Promise<void>;

const MIGRATIONS: readonly Migration[] = [createTokenTables];

async function createTokenTables(db: Kysely<TokenTables>, { idType }: SqlDialectDetails): Promise<void> {
  const id = sql.raw(idType);
  await sql`create table portcullis_tokens (
    token_id ${id} primary key, owner text not null, is_admin integer not null, roles text not null,
    scopes text not null, created_at bigint not null, expires_at bigint, revoked_at bigint, forget_at bigint,
    last_used_at bigint, description text, secret_phc text not null)`.execute(db);
  await sql`create index portcullis_tokens_owner on portcullis_tokens (owner, token_id)`.execute(db);
  await sql`create index portcullis_tokens_forget on portcullis_tokens (forget_at)
    where forget_at is not null`.execute(db);
  await sql`create table portcullis_token_roles (
    role text not null, token_id ${id} not null, primary key (role, token_id))`.execute(db);
  await sql`create index portcullis_token_roles_token on portcullis_token_roles (token_id)`.execute(db);
}

/**
 * Brings the schema up to date, one step after the other, as one transaction under a lock: of several processes that
 * start at once one migrates, and the others find it done.
 *
 * @throws Error where the schema is newer than this release knows
 */
export async function migrate(db: Kysely<TokenTables>, details: SqlDialectDetails): Promise<void> {
  await db.connection().execute(async (connection) => {
    await details.beginExclusively(connection);
    try {
      await applySteps(connection, details);
      await sql`commit`.execute(connection);
    } catch (error) {
      await sql`rollback`.execute(connection).catch(() => undefined);
      throw error;
    }
  });
}

async function applySteps(connection: Kysely<TokenTables>, details: SqlDialectDetails): Promise<void> {
  await sql`create table if not exists portcullis_migrations (version integer primary key)`.execute(
    connection,
  );
  const rows = await connection.selectFrom('portcullis_migrations').select('version').execute();
  const current = Math.max(0, ...rows.map(({ version }) => version));
  if (current > MIGRATIONS.length) {
    throw new Error(
      `the schema of the token store is version ${current}, and this release knows ${MIGRATIONS.length}; run a newer release`,
    );
  }
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < current) continue;
    await step(connection, details);
    await connection
      .insertInto('portcullis_migrations')
      .values({ version: index + 1 })
      .execute();
  }
}
