import { describe, expect, test } from '@jest/globals';
import { createRateLimiter } from '../../src/web/rate-limiter.js';
import { FakeTime } from '../support/fake-time.js';

function limiter(over: { limit?: number; maxKeys?: number } = {}) {
  const time = new FakeTime();
  const limits = createRateLimiter({ limit: 2, windowMs: 60_000, maxKeys: 100, ...over, clock: time });
  return { time, limits };
}

const REFUSED = { allowed: false, retryAfterS: 60 };

describe('createRateLimiter()', () => {
  test('allows `limit` calls per key and window, and says when the next may come', async () => {
    const { time, limits } = limiter();
    expect(limits.take('a')).toEqual({ allowed: true });
    expect(limits.take('a')).toEqual({ allowed: true });
    expect(limits.take('a')).toEqual(REFUSED);
    await time.advance(58_500);
    expect(limits.take('a')).toEqual({ allowed: false, retryAfterS: 2 });
    await time.advance(1500);
    expect(limits.take('a')).toEqual({ allowed: true });
  });

  test('counts each key for itself', () => {
    const { limits } = limiter({ limit: 1 });
    expect(limits.take('a').allowed).toBe(true);
    expect(limits.take('b').allowed).toBe(true);
    expect(limits.take('a').allowed).toBe(false);
  });

  test('peek() counts nothing', () => {
    const { limits } = limiter({ limit: 1 });
    for (let n = 0; n < 5; n++) expect(limits.peek('a').allowed).toBe(true);
    limits.take('a');
    expect(limits.peek('a')).toEqual(REFUSED);
  });

  test('refund() takes one call back, and never more than were counted', () => {
    const { limits } = limiter({ limit: 1 });
    limits.take('a');
    limits.refund('a');
    limits.refund('a');
    expect(limits.take('a').allowed).toBe(true);
    expect(limits.take('a').allowed).toBe(false);
  });

  test('remembers `maxKeys` keys at most, the latest ones', () => {
    const { limits } = limiter({ limit: 1, maxKeys: 2 });
    for (const key of ['a', 'b', 'c']) limits.take(key);
    expect(limits.peek('a').allowed).toBe(true);
    expect(limits.peek('b').allowed).toBe(false);
    expect(limits.peek('c').allowed).toBe(false);
  });

  test('a clock that is set back does not lock a key out', () => {
    const { time, limits } = limiter({ limit: 1 });
    limits.take('a');
    time.set(time.now() - 3_600_000);
    expect(limits.take('a').allowed).toBe(true);
  });
});
