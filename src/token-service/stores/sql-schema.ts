import type { TokenRecord } from '../store.js';

/** The tables, as both SQL databases have them. Times are seconds; lists are JSON. */
export interface TokenTables {
  portcullis_tokens: TokenRow;
  portcullis_token_roles: { token_id: string; role: string };
  portcullis_migrations: { version: number };
}

/** A row of a token. PostgreSQL returns 64-bit numbers as text. */
export interface TokenRow {
  token_id: string;
  owner: string;
  is_admin: number;
  roles: string;
  scopes: string;
  created_at: number | string;
  expires_at: number | string | null;
  revoked_at: number | string | null;
  forget_at: number | string | null;
  last_used_at: number | string | null;
  description: string | null;
  secret_phc: string;
}

/** @returns the row of a record */
export function toRow(record: TokenRecord): TokenRow {
  return {
    token_id: record.tokenId,
    owner: record.owner,
    is_admin: record.isAdmin ? 1 : 0,
    roles: JSON.stringify(record.roles),
    scopes: JSON.stringify(record.scopes),
    created_at: record.createdAt,
    expires_at: record.expiresAt ?? null,
    revoked_at: record.revokedAt ?? null,
    forget_at: record.forgetAt ?? null,
    last_used_at: record.lastUsedAt ?? null,
    description: record.description ?? null,
    secret_phc: record.secretPhc,
  };
}

/** @returns the record of a row */
export function fromRow(row: TokenRow): TokenRecord {
  return {
    tokenId: row.token_id,
    owner: row.owner,
    isAdmin: row.is_admin === 1,
    roles: JSON.parse(row.roles) as string[],
    scopes: JSON.parse(row.scopes) as string[],
    createdAt: Number(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
    ...(row.forget_at === null ? {} : { forgetAt: Number(row.forget_at) }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: Number(row.last_used_at) }),
    ...(row.description === null ? {} : { description: row.description }),
    secretPhc: row.secret_phc,
  };
}
