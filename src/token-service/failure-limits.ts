import type { Clock } from '../ports.js';
import { createRateLimiter, type RateLimitResult } from '../web/rate-limiter.js';

/** `tokens.limits`. */
export interface FailureLimitsOptions {
  /** Failed attempts per id and address, and ids that may fail per address, in one window. */
  readonly failures: number;
  /** Length of a window, milliseconds. */
  readonly windowMs: number;
  readonly clock: Clock;
}

/** Who tries what: the id is the client's word; empty where it named none. */
export interface Attempt {
  readonly tokenId: string;
  /** From clientAddressOf(). */
  readonly address: string;
}

/** Slows down guessing. */
export interface FailureLimits {
  /** May this attempt be made? Asked before anything expensive. */
  judge(attempt: Attempt): RateLimitResult;
  /** Counts a failed attempt. */
  failed(attempt: Attempt): void;
}

const MAX_KEYS = 100_000;

/**
 * Creates the limits on failed authentications. An id that fails again and again from one address is refused there, and
 * no other id and no other address is. An address from which many ids fail is refused as a whole.
 */
export function createFailureLimits({ failures, windowMs, clock }: FailureLimitsOptions): FailureLimits {
  const limiter = (limit: number) => createRateLimiter({ limit, windowMs, maxKeys: MAX_KEYS, clock });
  const pairs = limiter(failures);
  const firsts = limiter(1);
  const addresses = limiter(failures);
  const pairOf = ({ tokenId, address }: Attempt): string => `${address} ${tokenId}`;
  return {
    judge(attempt) {
      const byPair = pairs.peek(pairOf(attempt));
      return byPair.allowed ? addresses.peek(attempt.address) : byPair;
    },
    failed(attempt) {
      pairs.take(pairOf(attempt));
      // One client that does not stop is one failing id, and must not shut out its neighbours behind the same address.
      if (firsts.take(pairOf(attempt)).allowed) addresses.take(attempt.address);
    },
  };
}
