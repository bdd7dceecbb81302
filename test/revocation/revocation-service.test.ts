import { describe, expect, test } from '@jest/globals';
import { createMemoryRevocationStore } from '../../src/revocation/memory-store.js';
import { RevocationService } from '../../src/revocation/revocation-service.js';
import {
  RevocationsFullError,
  type RevocationStore,
  RevocationStoreUnavailableError,
} from '../../src/revocation/revocation-store.js';
import { silentLogger } from '../../src/ports.js';
import { NOW_MS, NOW_S } from '../support/tokens.js';
import { manualEvery, revocation } from './revocations.js';

async function setUp(over: { store?: Partial<RevocationStore>; maxEntries?: number } = {}) {
  const clock = { nowMs: NOW_MS };
  const intervals = manualEvery();
  const sources: string[] = [];
  const service = new RevocationService({
    store: { ...createMemoryRevocationStore(), ...over.store },
    clock: { now: () => clock.nowMs },
    every: intervals.every,
    logger: silentLogger,
    maxEntries: () => over.maxEntries ?? 100,
    metrics: { revoked: (source) => void sources.push(source) },
  });
  await service.open();
  return { service, clock, intervals, sources };
}

const jti = (value: string, heldUntilS = NOW_S + 60) => revocation({ kind: 'jti', value }, { heldUntilS });

describe('RevocationService', () => {
  test('revoke() counts at once, is listed oldest first, and is counted by its source', async () => {
    const { service, sources } = await setUp();
    const [a, b, c] = [jti('a'), jti('b'), jti('c')];
    for (const one of [a, b, c]) await service.revoke(one);
    expect(service.page({ limit: 2, after: undefined }).map(({ value }) => value)).toEqual(['a', 'b']);
    expect(service.page({ limit: 2, after: b.id }).map(({ value }) => value)).toEqual(['c']);
    expect(sources).toEqual(['admin', 'admin', 'admin']);
  });

  test('page() goes on after one that is gone, and shows none that has ended', async () => {
    const { service, clock } = await setUp();
    const [a, b] = [jti('a'), jti('b')];
    await service.revoke(a);
    await service.revoke(b);
    expect(await service.withdraw(a.id)).toBe(true);
    expect(service.page({ limit: 9, after: a.id }).map(({ value }) => value)).toEqual(['b']);
    clock.nowMs += 61_000;
    expect(service.page({ limit: 9, after: undefined })).toEqual([]);
    expect(await service.withdraw(b.id)).toBe(false);
  });

  test('revoke() refuses a new one when it is full, forgets none, and takes one more of the same target', async () => {
    const { service } = await setUp({ maxEntries: 2 });
    await service.revoke(jti('a'));
    await service.revoke(jti('b'));
    await expect(service.revoke(jti('c'))).rejects.toBeInstanceOf(RevocationsFullError);
    await service.revoke(jti('b', NOW_S + 90));
    expect(service.size).toBe(2);
  });

  test('revoke() makes room of what has ended', async () => {
    const { service, clock } = await setUp({ maxEntries: 1 });
    await service.revoke(jti('a'));
    clock.nowMs += 120_000;
    await service.revoke(jti('b', NOW_S + 600));
    expect(service.size).toBe(1);
  });

  test('revoke() reports a store that fails as unavailable, and counts nothing', async () => {
    const { service, sources } = await setUp({ store: { add: () => Promise.reject(new Error('disk')) } });
    await expect(service.revoke(jti('a'))).rejects.toBeInstanceOf(RevocationStoreUnavailableError);
    expect([service.size, sources]).toEqual([0, []]);
  });

  test('revoke() waits for those who follow, and follow() ends', async () => {
    const { service } = await setUp();
    let taken: () => void = () => undefined;
    const seen: string[] = [];
    const stop = service.follow(({ change }) => {
      seen.push(...change.put.map(({ value }) => value));
      return new Promise<void>((resolve) => (taken = resolve));
    });
    let done = false;
    const revoking = service.revoke(jti('a')).then(() => (done = true));
    await Promise.resolve();
    await Promise.resolve();
    expect([seen, done]).toEqual([['a'], false]);
    taken();
    await revoking;
    stop();
    await service.revoke(jti('b'));
    expect(seen).toEqual(['a']);
  });

  test('tells followers since when there may be gaps', async () => {
    let staleSinceMs: number | undefined = -Infinity;
    const { service, intervals } = await setUp({ store: { staleSinceMs: () => staleSinceMs } });
    const seen: (number | undefined)[] = [];
    service.follow((update) => {
      seen.push(update.staleSinceMs);
      return undefined;
    });
    expect(service.list.staleForMs(NOW_MS)).toBe(Infinity);
    staleSinceMs = undefined;
    intervals.pass();
    expect(service.list.staleForMs(NOW_MS)).toBe(0);
    staleSinceMs = NOW_MS - 5;
    intervals.pass();
    expect(service.list.staleForMs(NOW_MS)).toBe(5);
    expect(seen).toEqual([undefined, NOW_MS - 5]);
  });

  test('close() leaves no interval', async () => {
    const { service, intervals } = await setUp();
    await service.close();
    expect(intervals.running()).toBe(0);
  });
});
