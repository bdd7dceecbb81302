import type { Kysely, Transaction } from 'kysely';
import type { TokenQuery, TokenRecord } from '../store.js';
import { migrate, type SqlDialectDetails } from './sql-migrations.js';
import { fromRow, toRow, type TokenTables } from './sql-schema.js';
import type { LastUse, TokenBackend } from './token-backend.js';

/** A database that Kysely speaks to. */
export interface SqlBackendOptions extends SqlDialectDetails {
  readonly db: Kysely<TokenTables>;
  readonly isConflict: (error: unknown) => boolean;
}

/** So many forgotten records are deleted with each insert: the table shrinks faster than it grows. */
const SWEEP = 20;

/**
 * Keeps tokens in an SQL database. A change begins with a write to its row: that takes the row's lock in
 * PostgreSQL, as the transaction has taken the database's in SQLite, and what it returns is current.
 */
export function createSqlBackend(options: SqlBackendOptions): TokenBackend {
  const { db } = options;
  return {
    prepare: () => migrate(db, options),
    insert: (record, nowS) => insert(db, record, nowS),
    find: async (tokenIds) => {
      const rows = await db
        .selectFrom('portcullis_tokens')
        .selectAll()
        .where('token_id', 'in', tokenIds)
        .execute();
      return rows.map(fromRow);
    },
    list: (query, nowS) => list(db, query, nowS),
    change: (tokenId, apply) => change(db, tokenId, apply),
    writeLastUsed: (uses) => writeLastUsed(db, uses),
    ping: async () => {
      await db.selectFrom('portcullis_migrations').select('version').limit(1).execute();
    },
    isConflict: options.isConflict,
    close: () => db.destroy(),
  };
}

function insert(db: Kysely<TokenTables>, record: TokenRecord, nowS: number): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await sweep(trx, record.tokenId, nowS);
    const inserted = await trx
      .insertInto('portcullis_tokens')
      .values(toRow(record))
      .onConflict((conflict) => conflict.column('token_id').doNothing())
      .returning('token_id')
      .execute();
    if (inserted.length === 0) return false;
    await insertRoles(trx, record);
    return true;
  });
}

/** Deletes the forgotten record of this tokenId, and some others that are forgotten. */
async function sweep(trx: Transaction<TokenTables>, tokenId: string, nowS: number): Promise<void> {
  const gone = await trx
    .deleteFrom('portcullis_tokens')
    .where('forget_at', '<=', nowS)
    .where((eb) =>
      eb.or([
        eb('token_id', '=', tokenId),
        eb(
          'token_id',
          'in',
          eb.selectFrom('portcullis_tokens').select('token_id').where('forget_at', '<=', nowS).limit(SWEEP),
        ),
      ]),
    )
    .returning('token_id')
    .execute();
  if (gone.length === 0) return;
  const ids = gone.map(({ token_id: id }) => id);
  await trx.deleteFrom('portcullis_token_roles').where('token_id', 'in', ids).execute();
}

async function insertRoles(
  trx: Transaction<TokenTables>,
  { tokenId, roles }: Pick<TokenRecord, 'tokenId' | 'roles'>,
): Promise<void> {
  if (roles.length === 0) return;
  await trx
    .insertInto('portcullis_token_roles')
    .values([...new Set(roles)].map((role) => ({ role, token_id: tokenId })))
    .execute();
}

function change(
  db: Kysely<TokenTables>,
  tokenId: string,
  apply: (record: TokenRecord) => TokenRecord | undefined,
): Promise<TokenRecord | undefined> {
  return db.transaction().execute(async (trx) => {
    const [row] = await trx
      .updateTable('portcullis_tokens')
      .set((eb) => ({ owner: eb.ref('owner') }))
      .where('token_id', '=', tokenId)
      .returningAll()
      .execute();
    if (row === undefined) return undefined;
    const before = fromRow(row);
    const after = apply(before);
    if (after === undefined) return undefined;
    await trx.updateTable('portcullis_tokens').set(toRow(after)).where('token_id', '=', tokenId).execute();
    if (before.roles.join('\n') !== after.roles.join('\n')) {
      await trx.deleteFrom('portcullis_token_roles').where('token_id', '=', tokenId).execute();
      await insertRoles(trx, after);
    }
    return after;
  });
}

async function list(
  db: Kysely<TokenTables>,
  query: TokenQuery,
  nowS: number,
): Promise<readonly TokenRecord[]> {
  const { afterTokenId, owner, hasRole } = query;
  const rows = await db
    .selectFrom('portcullis_tokens')
    .selectAll()
    .where((eb) => eb.or([eb('forget_at', 'is', null), eb('forget_at', '>', nowS)]))
    .$if(afterTokenId !== undefined, (qb) => qb.where('token_id', '>', afterTokenId ?? ''))
    .$if(query.includeRevoked !== true, (qb) => qb.where('revoked_at', 'is', null))
    .$if(query.includeExpired !== true, (qb) =>
      qb.where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', nowS)])),
    )
    .$if(owner !== undefined, (qb) => qb.where('owner', '=', owner ?? ''))
    .$if(hasRole !== undefined, (qb) =>
      qb.where('token_id', 'in', (eb) =>
        eb
          .selectFrom('portcullis_token_roles')
          .select('token_id')
          .where('role', '=', hasRole ?? ''),
      ),
    )
    .orderBy('token_id')
    .limit(query.limit)
    .execute();
  return rows.map(fromRow);
}

async function writeLastUsed(db: Kysely<TokenTables>, uses: readonly LastUse[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const [tokenId, usedAt] of uses) {
      await trx
        .updateTable('portcullis_tokens')
        .set({ last_used_at: usedAt })
        .where('token_id', '=', tokenId)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', usedAt)]))
        .execute();
    }
  });
}
