import type { Clock } from '../ports.js';

/** A set without a usable key is believed when it comes twice within the cooldown, or this where that is longer. */
const CONFIRM_WITHIN_MS = 30_000;

/**
 * Whether to believe a key set without a usable key. An issuer that is being set up answers so for a moment; one that
 * withdraws its keys goes on with it. The retry after the first such answer comes within the cooldown.
 */
export class EmptySetConfirmation {
  /** When the first such set came; -Infinity: the last answer was none. */
  #firstAtMs = -Infinity;

  /** @param cooldownMs between two attempts, milliseconds; a reload may change it */
  constructor(
    private readonly clock: Clock,
    private readonly cooldownMs: () => number,
  ) {}

  /** A set without a usable key has come. @returns whether it confirms an earlier one */
  confirm(): boolean {
    const nowMs = this.clock.now();
    if (nowMs - this.#firstAtMs <= Math.max(this.cooldownMs(), CONFIRM_WITHIN_MS)) return true;
    this.#firstAtMs = nowMs;
    return false;
  }

  /** A set with usable keys has come. */
  reset(): void {
    this.#firstAtMs = -Infinity;
  }
}
