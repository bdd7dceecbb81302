/**
 * What is true at this moment, so that for every request it is known what the answer may be. A change opens a window in
 * which the old and the new answer are both right; requests that were under way when it opened count as inside.
 */
export class World {
  #openUntilMs = new Map();
  #openedMs = new Map();
  redisUp = true;
  /** Spent proofs are forgotten when an in-memory Redis starts again. */
  redisEpoch = 0;
  issuerUp = true;
  /** Whether the configuration in force opens /toggled. */
  toggled = false;
  lastKillMs = -Infinity;

  /** @param {'keys' | 'redis' | 'config' | 'workers' | 'issuer'} what @param {number} settleMs */
  changed(what, settleMs) {
    const nowMs = Date.now();
    this.#openedMs.set(what, nowMs);
    this.#openUntilMs.set(what, nowMs + settleMs);
    if (what === 'workers') this.lastKillMs = nowMs;
  }

  /** Whether a change of this kind was settling at any time between the two moments. */
  unsettled(what, fromMs, toMs = Date.now()) {
    const opened = this.#openedMs.get(what);
    return opened !== undefined && opened <= toMs && fromMs <= this.#openUntilMs.get(what);
  }

  /** Whether everything is as it was for a while. */
  get settled() {
    const nowMs = Date.now();
    return [...this.#openUntilMs.values()].every((untilMs) => untilMs < nowMs);
  }
}
