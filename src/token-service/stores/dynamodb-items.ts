import type { TokenRecord } from '../store.js';

/** The value of the partition key of every item. */
export const PARTITION = 'token';

/** An item of the table: a record, and what makes writes of it conditional. */
export interface TokenItem extends TokenRecord {
  readonly partition: typeof PARTITION;
  /** Grows with each change. */
  readonly version: number;
  /** Of the insert that made it. */
  readonly writeId?: string;
}

/** The members that a change writes: all but the key, and but `lastUsedAt`, which is written on its own. */
const CHANGEABLE = [
  'owner',
  'isAdmin',
  'roles',
  'scopes',
  'createdAt',
  'expiresAt',
  'revokedAt',
  'forgetAt',
  'description',
  'secretPhc',
] as const satisfies readonly (keyof TokenRecord)[];

/** @returns the primary key of a token's item */
export function keyOf(tokenId: string): { partition: string; tokenId: string } {
  return { partition: PARTITION, tokenId };
}

/** @returns the item of a record, without its version */
export function toItem(record: TokenRecord): Omit<TokenItem, 'version'> {
  return { ...record, partition: PARTITION };
}

/** @returns the record of an item */
export function fromItem(item: TokenItem): TokenRecord {
  const { partition: _partition, version: _version, writeId: _writeId, ...record } = item;
  return record;
}

/**
 * Writes a record over the item that has this version.
 *
 * @returns the expressions of an update
 */
export function rewriteOf(
  record: TokenRecord,
  version: number,
): {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, unknown>;
} {
  const present = CHANGEABLE.filter((name) => record[name] !== undefined);
  const absent = CHANGEABLE.filter((name) => record[name] === undefined);
  const set = ['#version = :next', ...present.map((name) => `#${name} = :${name}`)];
  const remove = absent.map((name) => `#${name}`);
  return {
    UpdateExpression: `SET ${set.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}`,
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: Object.fromEntries(
      ['version', ...CHANGEABLE].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: {
      ':version': version,
      ':next': version + 1,
      ...Object.fromEntries(present.map((name) => [`:${name}`, record[name]])),
    },
  };
}
