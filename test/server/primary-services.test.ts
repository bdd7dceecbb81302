import { describe, expect, test } from '@jest/globals';
import type { KeySetFetcher } from '../../src/jwks/ports.js';
import type { IpcPeer } from '../../src/server/ipc.js';
import { createPrimaryReplay, primaryHandlers } from '../../src/server/primary-services.js';
import { createGuardedReplay } from '../../src/stores/guarded-replay.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { ReplayFullError, UnprovableProofError, type ReplayStore } from '../../src/stores/replay-store.js';
import { spendableProof } from '../support/spendable-proof.js';
import { NOW_MS } from '../support/tokens.js';

const noFetcher: KeySetFetcher = { fetch: () => Promise.reject(new Error('not asked')) };

/** A worker's store over the primary's; messages are copied as between processes. */
function workerOf(replay: ReplayStore): ReplayStore {
  const handlers = primaryHandlers({ fetcher: noFetcher, replay });
  const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const peer: IpcPeer = {
    call: async (method, params) => copy(await handlers[method]!(copy(params) as never)),
    close: () => undefined,
  };
  return createPrimaryReplay(peer);
}

describe('createPrimaryReplay()', () => {
  const clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  const window = { maxAgeMs: 60_000, clockToleranceMs: 10_000 };
  const primary = createGuardedReplay(createReplayMemory({ maxEntries: 32, clock }), {
    clock,
    window,
    beganAtMs: NOW_MS,
  });
  const proof = (key: string, issuedAtMs: number, jkt = key) =>
    spendableProof(key, issuedAtMs + 70_000, { issuedAtMs, jkt });

  test("the beginning is the primary's: a worker that replaces another accepts at once [security 5]", async () => {
    expect(await workerOf(primary).spend(proof('a', NOW_MS + 1000))).toBe(true);
    clock.nowMs += 20_000;
    const replacement = workerOf(primary);
    expect(await replacement.spend(proof('b', NOW_MS + 2000))).toBe(true);
    expect(await replacement.spend(proof('a', NOW_MS + 1000))).toBe(false);
    await expect(replacement.spend(proof('c', NOW_MS - 1000))).rejects.toThrow(UnprovableProofError);
    expect(replacement.isAvailable()).toBe(true);
  });

  test('one key cannot shut out the others [one key]', async () => {
    const worker = workerOf(primary);
    for (let i = 0; i < 16; i++) await worker.spend(proof(`x${i}`, clock.nowMs, 'greedy'));
    await expect(worker.spend(proof('x16', clock.nowMs, 'greedy'))).rejects.toThrow(ReplayFullError);
    expect(await worker.spend(proof('y', clock.nowMs, 'other'))).toBe(true);
  });
});
