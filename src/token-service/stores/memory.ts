import type { Clock } from '../../ports.js';
import { MAX_GET_MANY, type TokenRecord, type TokenStore } from '../store.js';
import { applyPatch, applyRestore, applyRevocation, isForgotten, matchesQuery } from './record-changes.js';

/**
 * Creates a token store that keeps everything in memory, for tests: it behaves as the others do, and forgets everything
 * with the process.
 *
 * @param clock decides what is expired and what is forgotten
 */
export function createMemoryTokenStore(clock: Clock): TokenStore {
  const records = new Map<string, TokenRecord>();
  const nowS = (): number => Math.floor(clock.now() / 1000);
  const find = (tokenId: string): TokenRecord | undefined => {
    const record = records.get(tokenId);
    return record !== undefined && isForgotten(record, nowS()) ? undefined : record;
  };
  const change = (tokenId: string, apply: (record: TokenRecord) => TokenRecord): TokenRecord | undefined => {
    const record = find(tokenId);
    if (record === undefined) return undefined;
    const changed = apply(record);
    records.set(tokenId, changed);
    return changed;
  };
  return {
    // async: a thrown error becomes a rejection, as from the stores that wait.
    /* eslint-disable @typescript-eslint/require-await */
    async insert(record) {
      if (find(record.tokenId) !== undefined) return false;
      records.set(record.tokenId, record);
      return true;
    },
    get: async (tokenId) => find(tokenId),
    async getMany(tokenIds) {
      if (tokenIds.length > MAX_GET_MANY) throw new RangeError(`at most ${MAX_GET_MANY} records at once`);
      return [...new Set(tokenIds)].map(find).filter((record) => record !== undefined);
    },
    list: async (query) =>
      [...records.values()]
        .filter(({ tokenId }) => query.afterTokenId === undefined || tokenId > query.afterTokenId)
        .filter((record) => matchesQuery(record, query, nowS()))
        .sort((left, right) => (left.tokenId < right.tokenId ? -1 : 1))
        .slice(0, query.limit),
    update: async (tokenId, patch) => change(tokenId, (record) => applyPatch(record, patch)),
    revoke: async (tokenId, revocation) => change(tokenId, (record) => applyRevocation(record, revocation)),
    restore: async (tokenId) => change(tokenId, applyRestore),
    /* eslint-enable @typescript-eslint/require-await */
    touch(tokenId, usedAt) {
      change(tokenId, (record) => ({ ...record, lastUsedAt: Math.max(record.lastUsedAt ?? 0, usedAt) }));
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
