import { Kysely, sql, SqliteDialect } from 'kysely';
import { isSqliteBusy, openSqliteDatabase } from '../stores/sqlite-database.js';
import type { Revocation } from './revocation.js';
import type { ReportChange, RevocationStore } from './revocation-store.js';
import { migrate, type RevocationRow, type RevocationTables, rowOf, revocationOf } from './sqlite-schema.js';

/** How much is read at a time when the store opens. */
const LOAD_ROWS = 5000;
/** How often ended rows are deleted, milliseconds, and how many at a time. */
const SWEEP_EVERY_MS = 10_000;
const SWEEP_ROWS = 1000;
/** How long to wait for another process that holds the file, and how often to try, milliseconds. */
const BUSY_PATIENCE_MS = 3000;
const BUSY_PAUSE_MS = 50;

/**
 * Creates a store in an SQLite file: what was acknowledged outlives a killed process. It is one instance's own; a second
 * one that opens the same file does not learn of later changes.
 *
 * @param path of the file; it is created where it is missing. Its folder must exist
 */
export function createSqliteRevocationStore(path: string): RevocationStore {
  return new SqliteStore(
    new Kysely<RevocationTables>({
      dialect: new SqliteDialect({ database: () => openSqliteDatabase(path) }),
    }),
  );
}

class SqliteStore implements RevocationStore {
  private report: ReportChange = () => undefined;
  private works = true;
  private sweptAtMs = 0;

  constructor(private readonly db: Kysely<RevocationTables>) {}

  async open(report: ReportChange): Promise<void> {
    this.report = report;
    await patiently(() => migrate(this.db));
    let after = '';
    for (;;) {
      const rows = await this.read(after);
      report({ put: rows.map(revocationOf), removed: [] });
      const last = rows.at(-1);
      if (last === undefined || rows.length < LOAD_ROWS) return;
      after = last.id;
    }
  }

  async add(revocation: Revocation): Promise<Revocation> {
    const row = await this.write(() => this.upsert(revocation));
    const kept = revocationOf(row);
    this.report({ put: [kept], removed: [] });
    return kept;
  }

  async remove({ id }: Revocation): Promise<void> {
    await this.write(() => this.db.deleteFrom('portcullis_revocations').where('id', '=', id).execute());
    this.report({ put: [], removed: [id] });
  }

  sweep(nowMs: number): void {
    if (nowMs - this.sweptAtMs < SWEEP_EVERY_MS) return;
    this.sweptAtMs = nowMs;
    // The next one may do better, and what has ended counts no more whether it is there or not.
    this.write(() => this.deleteEnded(nowMs)).catch(() => undefined);
  }

  isAvailable(): boolean {
    return this.works;
  }

  staleSinceMs(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return this.db.destroy();
  }

  private read(after: string): Promise<RevocationRow[]> {
    return this.db
      .selectFrom('portcullis_revocations')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(LOAD_ROWS)
      .execute();
  }

  /** One of the same target takes the later end and the later `before`; its id stays. */
  private upsert(revocation: Revocation): Promise<RevocationRow> {
    return this.db
      .insertInto('portcullis_revocations')
      .values(rowOf(revocation))
      .onConflict((conflict) =>
        conflict.columns(['kind', 'issuer', 'value', 'subject']).doUpdateSet({
          jti: sql`coalesce(jti, excluded.jti)`,
          before_s: sql`max(before_s, excluded.before_s)`,
          expires_at: sql`max(expires_at, excluded.expires_at)`,
          held_until: sql`max(held_until, excluded.held_until)`,
          reason: sql`coalesce(excluded.reason, reason)`,
        }),
      )
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  private async deleteEnded(nowMs: number): Promise<void> {
    const ended = this.db
      .selectFrom('portcullis_revocations')
      .select('id')
      .where('held_until', '<', Math.floor(nowMs / 1000))
      .limit(SWEEP_ROWS);
    await this.db.deleteFrom('portcullis_revocations').where('id', 'in', ended).execute();
  }

  private async write<T>(run: () => Promise<T>): Promise<T> {
    try {
      const result = await patiently(run);
      this.works = true;
      return result;
    } catch (error) {
      this.works = false;
      throw error;
    }
  }
}

/** Tries again while another process holds the file. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let leftMs = BUSY_PATIENCE_MS; ; leftMs -= BUSY_PAUSE_MS) {
    try {
      return await run();
    } catch (error) {
      if (leftMs <= 0 || !isSqliteBusy(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}
