/**
 * Checks that may wait for one issuer's fetch at a time. The others are answered at once, so that an issuer that hangs
 * does not take up every Check there may be.
 */
const MAX_WAITING = 256;

/** Who waits for the fetch of one issuer's keys, and how often an unknown key id may start one. */
export class WaitingChecks {
  #count = 0;
  #unknownKidAtMs = -Infinity;

  /** @param cooldownMs between two fetches for unknown key ids, milliseconds; a reload may change it */
  constructor(private readonly cooldownMs: () => number) {}

  /** May no other Check wait? */
  get isFull(): boolean {
    return this.#count >= MAX_WAITING;
  }

  /** @returns whether this unknown key id may start a fetch; then no other one may within the cooldown */
  takeUnknownKid(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#unknownKidAtMs;
    // A clock that was set back must not close the door until it has caught up.
    if (elapsedMs >= 0 && elapsedMs < this.cooldownMs()) return false;
    this.#unknownKidAtMs = nowMs;
    return true;
  }

  /** Counts a Check as waiting for as long as this takes. */
  async wait<R>(work: () => Promise<R>): Promise<R> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
    }
  }
}
