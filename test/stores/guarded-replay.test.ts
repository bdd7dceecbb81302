import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGuardedReplay } from '../../src/stores/guarded-replay.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { type ProofWindow, UnprovableProofError } from '../../src/stores/replay-store.js';
import { NOW_MS } from '../support/tokens.js';

const NARROW: ProofWindow = { maxAgeMs: 60_000, clockToleranceMs: 10_000 };
const WIDE: ProofWindow = { maxAgeMs: 3_600_000, clockToleranceMs: 30_000 };

function guarded({ window = NARROW, beganAtMs = undefined as number | undefined } = {}) {
  const clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  let inForce = window;
  const store = createGuardedReplay(createReplayMemory({ maxEntries: 1000, clock }), {
    clock,
    window,
    beganAtMs,
  });
  const endOf = (issuedAtMs: number, expMs = Infinity): number =>
    Math.min(issuedAtMs + inForce.maxAgeMs, expMs) + inForce.clockToleranceMs;
  return {
    clock,
    reload: (next: ProofWindow) => {
      store.reconfigure(next);
      inForce = next;
    },
    /** What the verifier and the store make of a proof: first, spent, outside of the window, or unprovable. */
    send: (jti: string, issuedAtMs: number, expMs?: number): string => {
      const expiresAtMs = endOf(issuedAtMs, expMs);
      if (clock.nowMs > expiresAtMs || clock.nowMs < issuedAtMs - inForce.clockToleranceMs) return 'outside';
      try {
        return store.spend({ jkt: 'k', replayKey: jti, issuedAtMs, expiresAtMs }) ? 'first' : 'spent';
      } catch (error) {
        if (error instanceof UnprovableProofError) return 'unprovable';
        throw error;
      }
    },
  };
}

describe('createGuardedReplay()', () => {
  test.each([
    ['a second before', -1000, 'unprovable'],
    ['within the second before', -1, 'unprovable'],
    ['in the same second, earlier', 0, 'first'],
    ['in the same second, later', 999, 'first'],
    ['afterwards', 5000, 'first'],
  ])('refuses proofs issued before the store began: %s [security 5]', (_, byMs, outcome) => {
    const second = Math.floor(NOW_MS / 1000) * 1000;
    const { send } = guarded({ beganAtMs: second + 700 });
    expect(send('a', second + byMs)).toBe(outcome);
  });

  test('accepts them where the store has no beginning [security 5]', () => {
    expect(guarded().send('a', NOW_MS - 50_000)).toBe('first');
  });

  // Was accepted: the memory had forgotten what the old window no longer accepted.
  test('refuses what had left the old window when a reload widened it [security 5]', () => {
    const { clock, send, reload } = guarded();
    expect(send('a', NOW_MS)).toBe('first');
    clock.nowMs += 100_000;
    expect(send('a', NOW_MS)).toBe('outside');
    reload(WIDE);
    expect(send('a', NOW_MS)).toBe('unprovable');
    expect(send('never sent', NOW_MS)).toBe('unprovable');
    expect(send('fresh', clock.nowMs)).toBe('first');
  });

  test('refuses what leaves the old window after the reload: it was remembered no longer than that [security 5]', () => {
    const { clock, send, reload } = guarded();
    expect(send('a', NOW_MS)).toBe('first');
    reload(WIDE);
    clock.nowMs = NOW_MS + 70_000;
    expect(send('a', NOW_MS)).toBe('spent');
    clock.nowMs = NOW_MS + 71_000;
    expect(send('a', NOW_MS)).toBe('unprovable');
  });

  test('accepts what is issued after the reload by the new window', () => {
    const { clock, send, reload } = guarded();
    reload(WIDE);
    const issuedAtMs = NOW_MS + NARROW.clockToleranceMs + 1;
    clock.nowMs = issuedAtMs + 3_000_000;
    expect(send('a', issuedAtMs)).toBe('first');
    expect(send('a', issuedAtMs)).toBe('spent');
  });

  test('a wider tolerance brings back no proof that its own exp had ended', () => {
    const { clock, send, reload } = guarded();
    const expMs = NOW_MS + 5000;
    expect(send('a', NOW_MS, expMs)).toBe('first');
    clock.nowMs = NOW_MS + 20_000;
    expect(send('a', NOW_MS, expMs)).toBe('outside');
    reload({ ...NARROW, clockToleranceMs: 60_000 });
    expect(send('a', NOW_MS, expMs)).toBe('unprovable');
  });

  test('no sequence of reloads and waits lets a proof pass twice', () => {
    const second = fc.integer({ min: 1, max: 200 }).map((s) => s * 1000);
    const step = fc.oneof(
      fc.record({ waitMs: second }),
      fc.record({ maxAgeMs: second, clockToleranceMs: fc.constantFrom(0, 1000, 10_000, 30_000) }),
      fc.record({ jti: fc.integer({ min: 0, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, send, reload } = guarded();
        const spent = new Set<number>();
        for (const one of steps) {
          if ('waitMs' in one) clock.nowMs += one.waitMs;
          else if ('maxAgeMs' in one) reload(one);
          else if (send(`jti ${one.jti}`, NOW_MS + one.jti * 20_000) === 'first') {
            expect(spent.has(one.jti)).toBe(false);
            spent.add(one.jti);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
