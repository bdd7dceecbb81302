import { type Kysely, sql } from 'kysely';
import type { Revocation, RevocationKind, RevocationSource } from './revocation.js';

/** A revocation as a row. `subject` is empty rather than null, so that the target can be unique. */
export interface RevocationRow {
  id: string;
  kind: string;
  issuer: string;
  value: string;
  subject: string;
  jti: string | null;
  before_s: number | null;
  expires_at: number;
  held_until: number;
  created_at_ms: number;
  source: string;
  reason: string | null;
}

/** The tables of the file. */
export interface RevocationTables {
  portcullis_revocations: RevocationRow;
  portcullis_revocation_schema: { version: number };
}

/** A step of the schema. Once released, a step never changes: what comes later is a further step. */
type Migration = (db: Kysely<RevocationTables>) => Promise<void>;

const MIGRATIONS: readonly Migration[] = [createTables];

async function createTables(db: Kysely<RevocationTables>): Promise<void> {
  await sql`create table portcullis_revocations (
    id text primary key, kind text not null, issuer text not null, value text not null, subject text not null,
    jti text, before_s real, expires_at integer not null, held_until integer not null,
    created_at_ms integer not null, source text not null, reason text,
    unique (kind, issuer, value, subject)) without rowid`.execute(db);
  await sql`create index portcullis_revocations_held_until on portcullis_revocations (held_until)`.execute(
    db,
  );
}

/**
 * Brings the schema up to date in one transaction, under a lock against other processes.
 *
 * @throws Error where the schema is newer than this release knows
 */
export async function migrate(db: Kysely<RevocationTables>): Promise<void> {
  await db.connection().execute(async (connection) => {
    await sql`begin exclusive`.execute(connection);
    try {
      await applySteps(connection);
      await sql`commit`.execute(connection);
    } catch (error) {
      await sql`rollback`.execute(connection).catch(() => undefined);
      throw error;
    }
  });
}

async function applySteps(db: Kysely<RevocationTables>): Promise<void> {
  await sql`create table if not exists portcullis_revocation_schema (version integer primary key)`.execute(
    db,
  );
  const rows = await db.selectFrom('portcullis_revocation_schema').select('version').execute();
  const current = Math.max(0, ...rows.map(({ version }) => version));
  if (current > MIGRATIONS.length)
    throw new Error(
      `the schema of the revocation store is version ${current}, and this release knows ${MIGRATIONS.length}; run a newer release`,
    );
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < current) continue;
    await step(db);
    await db
      .insertInto('portcullis_revocation_schema')
      .values({ version: index + 1 })
      .execute();
  }
}

/** As it is written. */
export function rowOf(revocation: Revocation): RevocationRow {
  const {
    id,
    kind,
    issuer,
    value,
    subject,
    jti,
    beforeS,
    expiresAtS,
    heldUntilS,
    createdAtMs,
    source,
    reason,
  } = revocation;
  return {
    id,
    kind,
    issuer,
    value,
    subject: subject ?? '',
    jti: jti ?? null,
    before_s: beforeS ?? null,
    expires_at: expiresAtS,
    held_until: heldUntilS,
    created_at_ms: createdAtMs,
    source,
    reason: reason ?? null,
  };
}

/** As it was read. */
export function revocationOf(row: RevocationRow): Revocation {
  return {
    id: row.id,
    kind: row.kind as RevocationKind,
    issuer: row.issuer,
    value: row.value,
    subject: row.subject === '' ? undefined : row.subject,
    jti: row.jti ?? undefined,
    beforeS: row.before_s ?? undefined,
    expiresAtS: row.expires_at,
    heldUntilS: row.held_until,
    createdAtMs: row.created_at_ms,
    source: row.source as RevocationSource,
    reason: row.reason ?? undefined,
  };
}
