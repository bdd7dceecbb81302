import {
  MAX_LIST_ENTRIES,
  TokenListFullError,
  type ListChange,
  type TokenPatch,
  type TokenQuery,
  type TokenRecord,
  type TokenRevocation,
} from '../store.js';

/** The rules that all stores share. Pure: the stores decide how they become atomic. */

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Applies a patch to a record.
 *
 * @throws TokenListFullError
 */
export function applyPatch(record: TokenRecord, patch: TokenPatch): TokenRecord {
  const { expiresAt, description, roles, scopes, ...plain } = patch;
  const changed: Writable<TokenRecord> = { ...record, ...plain };
  if (expiresAt === null) delete changed.expiresAt;
  else if (expiresAt !== undefined) changed.expiresAt = expiresAt;
  if (description === null) delete changed.description;
  else if (description !== undefined) changed.description = description;
  if (roles !== undefined) changed.roles = applyListChange('roles', record.roles, roles);
  if (scopes !== undefined) changed.scopes = applyListChange('scopes', record.scopes, scopes);
  return changed;
}

function applyListChange(
  member: 'roles' | 'scopes',
  before: readonly string[],
  change: ListChange,
): readonly string[] {
  const after = listAfter(before, change);
  if (after.length > MAX_LIST_ENTRIES && after.length > before.length) throw new TokenListFullError(member);
  return after;
}

function listAfter(before: readonly string[], change: ListChange): string[] {
  if ('add' in change) return [...new Set([...before, ...change.add])];
  if (!('remove' in change)) return [...new Set(change)];
  const removed = new Set(change.remove);
  return before.filter((entry) => !removed.has(entry));
}

/** Revokes a record: the first `revokedAt` stays, `forgetAt` changes where it is given. */
export function applyRevocation(record: TokenRecord, revocation: TokenRevocation): TokenRecord {
  return { ...record, ...revocation, revokedAt: record.revokedAt ?? revocation.revokedAt };
}

/** Takes a revocation back. */
export function applyRestore(record: TokenRecord): TokenRecord {
  const restored: Writable<TokenRecord> = { ...record };
  delete restored.revokedAt;
  delete restored.forgetAt;
  return restored;
}

/** @param nowS seconds; @returns whether the record counts as gone */
export function isForgotten(record: TokenRecord, nowS: number): boolean {
  return record.revokedAt !== undefined && record.forgetAt !== undefined && record.forgetAt <= nowS;
}

/** @param nowS seconds; @returns whether a query asks for the record; the place in the order is not judged */
export function matchesQuery(record: TokenRecord, query: TokenQuery, nowS: number): boolean {
  if (isForgotten(record, nowS)) return false;
  if (record.revokedAt !== undefined && query.includeRevoked !== true) return false;
  if (record.expiresAt !== undefined && record.expiresAt <= nowS && query.includeExpired !== true)
    return false;
  if (query.hasRole !== undefined && !record.roles.includes(query.hasRole)) return false;
  return query.owner === undefined || record.owner === query.owner;
}
