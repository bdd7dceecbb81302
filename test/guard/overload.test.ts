import { describe, expect, test } from '@jest/globals';
import { createOverloadGuard } from '../../src/guard/overload.js';

function guarded(limitMs: number) {
  let nowMs = 0;
  let answered = 0;
  let tick = (): void => undefined;
  const guard = createOverloadGuard({
    limitMs: () => limitMs,
    answered: () => answered,
    stopwatch: () => nowMs,
    every: (_everyMs, run) => {
      tick = run;
      return () => undefined;
    },
  });
  return {
    guard,
    /** The next tick comes this long after the one before. */
    tickAfter: (elapsedMs: number, checks = 100) => {
      nowMs += elapsedMs;
      answered += checks;
      tick();
    },
  };
}

describe('createOverloadGuard()', () => {
  test('is quiet while ticks are on time', () => {
    const { guard, tickAfter } = guarded(50);
    for (let n = 0; n < 10; n++) tickAfter(21);
    expect(guard.isOverloaded()).toBe(false);
  });

  test('takes one or two late ticks as a pause, three as a queue', () => {
    const { guard, tickAfter } = guarded(50);
    tickAfter(200);
    tickAfter(200);
    expect(guard.isOverloaded()).toBe(false);
    tickAfter(200);
    expect(guard.isOverloaded()).toBe(true);
  });

  test('takes late ticks without Checks as the work of somebody else', () => {
    const { guard, tickAfter } = guarded(50);
    for (let n = 0; n < 10; n++) tickAfter(200, 3);
    expect(guard.isOverloaded()).toBe(false);
  });

  test('ends with the first tick on time', () => {
    const { guard, tickAfter } = guarded(50);
    for (let n = 0; n < 5; n++) tickAfter(200);
    tickAfter(30);
    expect(guard.isOverloaded()).toBe(false);
  });
});
