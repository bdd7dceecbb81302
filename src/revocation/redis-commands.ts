import { createHash } from 'node:crypto';
import type { RedisConnection } from '../stores/redis-connection.js';
import type { Revocation, RevocationTarget } from './revocation.js';

/** What Redis holds of one target: a revocation, or the id of one that was taken back. */
export type StoredRevocation = { readonly put: Revocation } | { readonly removed: string };

/** The commands of the Redis store. All keys are of one slot, and none holds anything of a token but its hash or jti. */
export interface RedisRevocations {
  /** How many changes there were. */
  sequence(): Promise<number>;
  /** @returns what is kept now */
  add(revocation: Revocation): Promise<Revocation>;
  remove(revocation: Revocation): Promise<void>;
  /** A part of what changed after a number, and the number up to which it reaches. */
  changesAfter(sequence: number): Promise<{ readonly stored: StoredRevocation[]; readonly upTo: number }>;
  /** A part of all that is there. @param cursor '0' to begin; the last part brings '0' again */
  scan(
    cursor: string,
  ): Promise<{ readonly stored: ReadonlyMap<string, StoredRevocation>; readonly cursor: string }>;
  /** Deletes a bounded part of what ended before a time, seconds since the epoch. */
  deleteEnded(beforeS: number): Promise<void>;
}

/** Under which a target is kept: the same on every replica. */
export function fieldOf({ kind, issuer, value, subject }: RevocationTarget): string {
  const target = JSON.stringify([kind, issuer, value, subject ?? null]);
  return createHash('sha256').update(target).digest('base64url');
}

const PART = 1000;
const PREFIX = 'portcullis:{revocations}:';
/** field → JSON, or `-` and the id of one that was taken back. */
const ENTRIES = `${PREFIX}entries`;
/** field, by the number of its last change. */
const CHANGES = `${PREFIX}changes`;
const SEQUENCE = `${PREFIX}sequence`;
/** field, by its end. */
const ENDS = `${PREFIX}ends`;
const KEYS = [ENTRIES, CHANGES, SEQUENCE, ENDS];

/** Joins with what is there: two replicas may revoke the same at once. Nothing changes where nothing is new. */
const ADD = `
local old = redis.call('HGET', KEYS[1], ARGV[1])
local text = ARGV[2]
local ends = tonumber(ARGV[3])
if old and string.sub(old, 1, 1) ~= '-' then
  local kept, new, changed = cjson.decode(old), cjson.decode(text), false
  for _, name in ipairs({'beforeS', 'expiresAtS', 'heldUntilS'}) do
    if new[name] and kept[name] and new[name] > kept[name] then kept[name] = new[name]; changed = true end
  end
  if not changed then return old end
  text = cjson.encode(kept)
  ends = kept.heldUntilS
end
redis.call('HSET', KEYS[1], ARGV[1], text)
redis.call('ZADD', KEYS[4], ends, ARGV[1])
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
return text`;

const REMOVE = `
redis.call('HSET', KEYS[1], ARGV[1], '-' .. ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
return 1`;

const DELETE_ENDED = `
local ended = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #ended == 0 then return 0 end
redis.call('HDEL', KEYS[1], unpack(ended))
redis.call('ZREM', KEYS[2], unpack(ended))
redis.call('ZREM', KEYS[4], unpack(ended))
return #ended`;

/** Creates the commands. They reject where there is no answer in time. */
export function createRedisRevocations(connection: RedisConnection): RedisRevocations {
  const run = (script: string, ...args: (string | number)[]): Promise<unknown> =>
    connection.command('EVAL', [script, KEYS.length, ...KEYS, ...args]);
  return {
    sequence: async () => Number((await connection.command('GET', [SEQUENCE])) ?? 0),
    add: async (revocation) => {
      const text = await run(ADD, fieldOf(revocation), JSON.stringify(revocation), revocation.heldUntilS);
      return JSON.parse(text as string) as Revocation;
    },
    remove: async (revocation) => {
      await run(REMOVE, fieldOf(revocation), revocation.id);
    },
    async changesAfter(sequence) {
      const args = [CHANGES, `(${sequence}`, '+inf', 'WITHSCORES', 'LIMIT', 0, PART];
      const reply = (await connection.command('ZRANGEBYSCORE', args)) as string[];
      const fields = reply.filter((_, index) => index % 2 === 0);
      if (fields.length === 0) return { stored: [], upTo: sequence };
      const values = (await connection.command('HMGET', [ENTRIES, ...fields])) as (string | null)[];
      return {
        stored: values.flatMap((text) => (text === null ? [] : [read(text)])),
        upTo: Number(reply.at(-1)),
      };
    },
    async scan(from) {
      const reply = await connection.command('HSCAN', [ENTRIES, from, 'COUNT', PART]);
      const [cursor, flat] = reply as [string, string[]];
      const stored = new Map<string, StoredRevocation>();
      for (let i = 0; i + 1 < flat.length; i += 2) stored.set(flat[i] as string, read(flat[i + 1] as string));
      return { stored, cursor };
    },
    deleteEnded: async (beforeS) => {
      await run(DELETE_ENDED, beforeS, PART);
    },
  };
}

function read(text: string): StoredRevocation {
  return text.startsWith('-') ? { removed: text.slice(1) } : { put: JSON.parse(text) as Revocation };
}
