import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { ReplayFullError } from '../../src/stores/replay-store.js';
import { spendableProof } from '../support/spendable-proof.js';
import { NOW_MS } from '../support/tokens.js';

const LIFE_MS = 70_000;

function memory(maxEntries = 1000) {
  const clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  return { clock, store: createReplayMemory({ maxEntries, clock }) };
}

/** What is left on the heap and beside it when all garbage is gone. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('createReplayMemory()', () => {
  test('spends a proof once', () => {
    const { store } = memory();
    expect(store.spend(spendableProof('a', NOW_MS + LIFE_MS))).toBe(true);
    expect(store.spend(spendableProof('a', NOW_MS + LIFE_MS))).toBe(false);
    expect(store.spend(spendableProof('b', NOW_MS + LIFE_MS))).toBe(true);
  });

  test('spends a key once, whatever end of life comes with it', () => {
    const { store } = memory();
    store.spend(spendableProof('a', NOW_MS + LIFE_MS));
    expect(store.spend(spendableProof('a', NOW_MS + 10))).toBe(false);
    expect(store.spend(spendableProof('a', NOW_MS + 10 * LIFE_MS))).toBe(false);
  });

  test('remembers a proof to its last moment', () => {
    const { store, clock } = memory();
    store.spend(spendableProof('a', NOW_MS + LIFE_MS));
    clock.nowMs = NOW_MS + LIFE_MS;
    expect(store.spend(spendableProof('a', NOW_MS + LIFE_MS))).toBe(false);
  });

  test('takes nothing that is past its time, so that a slow copy does not pass', () => {
    const { store } = memory();
    expect(store.spend(spendableProof('a', NOW_MS - 1001))).toBe(false);
  });

  test('counts what is live, and no more', () => {
    const { store, clock } = memory();
    for (let i = 0; i < 10; i++) store.spend(spendableProof(`k${i}`, NOW_MS + 1000 * (i + 1)));
    expect(store.entries).toBe(10);
    clock.nowMs = NOW_MS + 5500;
    expect(store.entries).toBe(6);
    clock.nowMs = NOW_MS + 3_600_000;
    expect(store.entries).toBe(0);
  });

  test('refuses when it is full, forgets no live entry, and recovers as they end', () => {
    const { store, clock } = memory(100);
    for (let i = 0; i < 100; i++) expect(store.spend(spendableProof(`k${i}`, NOW_MS + LIFE_MS))).toBe(true);
    expect(store.isAvailable()).toBe(false);
    for (let i = 0; i < 1000; i++)
      expect(() => store.spend(spendableProof(`x${i}`, NOW_MS + LIFE_MS))).toThrow(ReplayFullError);
    for (let i = 0; i < 100; i++) expect(store.spend(spendableProof(`k${i}`, NOW_MS + LIFE_MS))).toBe(false);
    expect(store.entries).toBe(100);
    clock.nowMs = NOW_MS + LIFE_MS + 1000;
    expect(store.isAvailable()).toBe(true);
    expect(store.spend(spendableProof('x', clock.nowMs + LIFE_MS))).toBe(true);
  });

  test.each([1, 2, 3, 7, 16])('holds %i entries where it may hold so many', (maxEntries) => {
    const { store } = memory(maxEntries);
    for (let i = 0; i < maxEntries; i++)
      expect(store.spend(spendableProof(`k${i}`, NOW_MS + LIFE_MS))).toBe(true);
    expect(() => store.spend(spendableProof('x', NOW_MS + LIFE_MS))).toThrow(ReplayFullError);
  });

  test.each([
    ['a sixteenth of a large memory', 32_000, 2000],
    ['a thousand, where half of the memory is more', 4000, 1000],
    ['half of a small memory', 100, 50],
    ['all of a tiny memory', 3, 3],
  ])('lets one key hold %s, and others pass [one key]', (_, maxEntries, share) => {
    const { store, clock } = memory(maxEntries);
    const of = (jkt: string, i: number) => spendableProof(`${jkt}:${i}`, clock.nowMs + LIFE_MS, { jkt });
    for (let i = 0; i < share; i++) expect(store.spend(of('greedy', i))).toBe(true);
    expect(() => store.spend(of('greedy', share))).toThrow(ReplayFullError);
    expect(store.spend(of('greedy', 0))).toBe(false);
    if (share < maxEntries) {
      expect(store.spend(of('other', 1))).toBe(true);
      expect(store.isAvailable()).toBe(true);
    }
    clock.nowMs += 2 * LIFE_MS;
    expect(store.spend(of('greedy', share))).toBe(true);
  });

  test('a clock that goes back makes nothing new again', () => {
    const { store, clock } = memory(4);
    const spent = Array.from({ length: 4 }, (_, i) => `k${i}`);
    for (const key of spent) store.spend(spendableProof(key, NOW_MS + LIFE_MS));
    clock.nowMs = NOW_MS + LIFE_MS + 5000;
    // These overwrite some of the first, which have ended by this clock.
    for (let round = 0; round < 50; round++) {
      clock.nowMs += LIFE_MS + 5000;
      for (let i = 0; i < 4; i++) store.spend(spendableProof(`x${round}-${i}`, clock.nowMs + LIFE_MS));
    }
    clock.nowMs = NOW_MS;
    for (const key of spent) expect(store.spend(spendableProof(key, NOW_MS + LIFE_MS))).toBe(false);
  });

  test('lets no two of any sequence pass with one key within its life', () => {
    const steps = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 5 }), waitMs: fc.integer({ min: -5000, max: 30_000 }) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (sequence) => {
        const { store, clock } = memory(50);
        const liveUntilMs = new Map<number, number>();
        for (const { key, waitMs } of sequence) {
          clock.nowMs += waitMs;
          const endMs = clock.nowMs + LIFE_MS;
          const isFirst = store.spend(spendableProof(`k${key}`, endMs));
          if ((liveUntilMs.get(key) ?? 0) >= clock.nowMs) expect(isFirst).toBe(false);
          if (isFirst) liveUntilMs.set(key, endMs);
        }
      }),
    );
  });

  test('a million proofs: all are taken, all are remembered, in 32 bytes each', () => {
    const before = memoryInUse();
    const { store, clock } = memory(1_000_000);
    // A moment passes every 1,000 proofs, so that they end at different times.
    for (let i = 0; i < 1_000_000; i++) {
      if (i % 1000 === 0) clock.nowMs += 20;
      if (!store.spend(spendableProof(`proof ${i}`, NOW_MS + LIFE_MS + (i % 20_000))))
        throw new Error(`proof ${i} was refused`);
    }
    expect(store.entries).toBe(1_000_000);
    expect(() => store.spend(spendableProof('one more', NOW_MS + LIFE_MS))).toThrow(ReplayFullError);
    for (let i = 0; i < 1_000_000; i += 7) {
      if (store.spend(spendableProof(`proof ${i}`, NOW_MS + LIFE_MS)))
        throw new Error(`proof ${i} was forgotten`);
    }
    expect(memoryInUse() - before).toBeLessThan(40 * 1024 * 1024);
  }, 120_000);
});
