import { LRUCache } from 'lru-cache';
import type { Clock } from '../ports.js';

/** What a rate limiter is made of. */
export interface RateLimiterOptions {
  /** Calls that a key may make per window; at least 1. */
  readonly limit: number;
  /** Length of a window, milliseconds. It begins with the first call of a key. */
  readonly windowMs: number;
  /** Keys that are remembered at a time; the one used longest ago is forgotten first. */
  readonly maxKeys: number;
  readonly clock: Clock;
}

/** May the call go on? */
export type RateLimitResult =
  | { readonly allowed: true }
  /** `retryAfterS` is for `Retry-After`: whole seconds, at least 1. */
  | { readonly allowed: false; readonly retryAfterS: number };

/** Counts calls per key, in fixed windows. */
export interface RateLimiter {
  /** Counts a call. A refused call does not count. */
  take(key: string): RateLimitResult;
  /** Says what `take` would say, and counts nothing. */
  peek(key: string): RateLimitResult;
  /**
   * Takes a counted call back. To limit failures: `take` before the attempt, so that attempts in parallel count, and
   * `refund` after a success.
   */
  refund(key: string): void;
}

interface Window {
  readonly startMs: number;
  readonly count: number;
}

const ALLOWED: RateLimitResult = { allowed: true };

/**
 * Creates a rate limiter. It counts in this process alone, and forgets everything with it.
 *
 * Memory is bounded by `maxKeys`. A caller with more addresses than that can push its own windows out, so a limit per
 * address is a brake and not a lock; put a limit per account beside it.
 */
export function createRateLimiter({ limit, windowMs, maxKeys, clock }: RateLimiterOptions): RateLimiter {
  const windows = new LRUCache<string, Window>({ max: maxKeys });

  const current = (key: string): Window | undefined => {
    const window = windows.get(key);
    if (window === undefined) return undefined;
    const elapsedMs = clock.now() - window.startMs;
    // A clock that was set back must not lock a key out for longer than one window.
    return elapsedMs >= 0 && elapsedMs < windowMs ? window : undefined;
  };
  const judge = (window: Window | undefined): RateLimitResult => {
    if (window === undefined || window.count < limit) return ALLOWED;
    const remainingMs = window.startMs + windowMs - clock.now();
    return { allowed: false, retryAfterS: Math.max(1, Math.ceil(remainingMs / 1000)) };
  };

  return {
    take(key) {
      const window = current(key);
      const result = judge(window);
      if (result.allowed) {
        const { startMs, count } = window ?? { startMs: clock.now(), count: 0 };
        windows.set(key, { startMs, count: count + 1 });
      }
      return result;
    },
    peek: (key) => judge(current(key)),
    refund(key) {
      const window = current(key);
      if (window !== undefined && window.count > 0)
        windows.set(key, { startMs: window.startMs, count: window.count - 1 });
    },
  };
}
