import { describe, expect, test } from '@jest/globals';
import { Denial } from '../../../src/authz/denial.js';
import { createSpendProofStage } from '../../../src/authz/stages/spend-proof.js';
import type { Policy } from '../../../src/authz/types.js';
import { createReplayMemory } from '../../../src/stores/replay-memory.js';
import {
  ReplayDisconnectedError,
  ReplayFullError,
  ReplayUnavailableError,
  type ReplayStore,
  UnprovableProofError,
} from '../../../src/stores/replay-store.js';
import { fakeContext } from '../../support/fake-context.js';
import { NOW_MS } from '../../support/tokens.js';

const clock = { now: () => NOW_MS };

function storeOf(spend: ReplayStore['spend']): ReplayStore {
  return { spend, entries: 0, isAvailable: () => true, close: () => Promise.resolve() };
}

function contextOf(policy: Partial<Policy> = {}) {
  const ctx = fakeContext({}, policy);
  ctx.proof = {
    jkt: 'jkt',
    replayKey: 'jkt:jti',
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 70_000,
    freshNonce: undefined,
  };
  return ctx;
}

function stageOf(store: ReplayStore, onUnavailable: 'deny' | 'allow' = 'deny') {
  const outcomes: string[] = [];
  const metrics = { dpopProof: (outcome: string) => void outcomes.push(outcome) };
  return { stage: createSpendProofStage({ store, onUnavailable, metrics }), outcomes };
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'nothing';
  } catch (error) {
    if (error instanceof Denial) return error.code;
    throw error;
  }
}

const fail = (error: unknown) => () => {
  throw error;
};

describe('createSpendProofStage()', () => {
  test.each([
    ['at once', (spent: boolean) => spent],
    ['later', (spent: boolean) => Promise.resolve(spent)],
  ])('asks the store once per request and takes its answer %s', async (_, answer) => {
    const seen = new Set<string>();
    const store = storeOf(({ replayKey }) => answer(seen.size !== seen.add(replayKey).size));
    const { stage, outcomes } = stageOf(store);
    expect(await codeOf(() => stage.run(contextOf()))).toBe('nothing');
    expect(await codeOf(() => stage.run(contextOf()))).toBe('dpop_proof_replayed');
    expect(outcomes).toEqual(['accepted', 'dpop_proof_replayed']);
  });

  test('answers at once where the store does', () => {
    const { stage } = stageOf(createReplayMemory({ maxEntries: 10, clock }));
    expect(stage.run(contextOf())).toBeUndefined();
  });

  test('leaves a request without a proof alone', () => {
    const { stage, outcomes } = stageOf(storeOf(fail(new Error('asked'))));
    expect(stage.run(fakeContext())).toBeUndefined();
    expect(outcomes).toEqual([]);
  });

  test('spends nothing where the policy does not consume', () => {
    const { stage, outcomes } = stageOf(storeOf(fail(new Error('asked'))));
    expect(stage.run(contextOf({ consumeProof: false }))).toBeUndefined();
    expect(outcomes).toEqual(['accepted_unspent']);
  });

  const outage = new ReplayUnavailableError('out of reach');
  const full = new ReplayFullError('full');
  const unprovable = new UnprovableProofError('of a time before the store');
  const bug = new TypeError('a fault of ours');

  test.each([
    ['an outage, deny', outage, 'deny', 'replay_unavailable'],
    ['an outage, allow', outage, 'allow', 'nothing'],
    ['a full memory, deny', full, 'deny', 'replay_unavailable'],
    ['a full memory, allow', full, 'allow', 'replay_unavailable'],
    ['a proof that may have been spent, deny', unprovable, 'deny', 'dpop_proof_time'],
    ['a proof that may have been spent, allow', unprovable, 'allow', 'dpop_proof_time'],
    ['an error that no store should throw, allow', bug, 'allow', 'replay_unavailable'],
  ] as const)('%s', async (_, error, onUnavailable, code) => {
    for (const spend of [fail(error), () => Promise.reject(error)]) {
      const { stage, outcomes } = stageOf(storeOf(spend), onUnavailable);
      expect(await codeOf(() => stage.run(contextOf()))).toBe(code);
      expect(outcomes).toEqual([code === 'nothing' ? 'accepted_unchecked' : code]);
    }
  });

  test('gives the client a Retry-After, and the log the cause', () => {
    const { stage } = stageOf(storeOf(fail(outage)));
    expect(() => stage.run(contextOf())).toThrow(
      expect.objectContaining({ details: { retryAfterS: 1, cause: outage } }),
    );
  });

  test('only a lost connection is called an outage: a full or slow store, which clients can cause, is not', () => {
    const thrown = (error: unknown): unknown => {
      try {
        return stageOf(storeOf(fail(error))).stage.run(contextOf());
      } catch (denial) {
        return denial;
      }
    };
    const lost = new ReplayDisconnectedError('not connected');
    expect(thrown(lost)).toMatchObject({ code: 'replay_unavailable', isOutage: true });
    for (const error of [outage, new ReplayFullError('full'), new Error('a fault of ours')]) {
      expect(thrown(error)).toMatchObject({ code: 'replay_unavailable', isOutage: false });
    }
  });

  test('spends nothing once the client was answered', async () => {
    const spent: string[] = [];
    const { stage } = stageOf(storeOf(({ replayKey }) => (spent.push(replayKey), true)));
    expect(await codeOf(() => stage.run(Object.assign(contextOf(), { isAnswered: true })))).toBe(
      'deadline_exceeded',
    );
    expect(spent).toEqual([]);
    expect(await codeOf(() => stage.run(contextOf()))).toBe('nothing');
  });
});
