/**
 * Is the event loop too far behind to answer in time? A timer that should fire every few milliseconds measures by how
 * much it is late. One late tick is a garbage collection or a reload; several in a row, each with many Checks in it,
 * are a growing queue. Late ticks without Checks have another cause, and refusing Checks would not help.
 */

/** Reports whether the process is overloaded. */
export interface OverloadGuard {
  isOverloaded(): boolean;
  stop(): void;
}

/** What the overload guard needs. */
export interface OverloadOptions {
  /** Delay of the event loop beyond which Checks are refused, milliseconds; read each time, as a reload may change it. */
  readonly limitMs: () => number;
  /** How many Checks were answered since the start. */
  readonly answered: () => number;
  /** Monotonic milliseconds. */
  readonly stopwatch: () => number;
  /** Calls `tick` every `everyMs` milliseconds; returns a function that stops it. */
  readonly every: (everyMs: number, tick: () => void) => () => void;
}

const TICK_MS = 20;
/** Consecutive ticks that must be late. */
const LATE_TICKS = 3;
/** Minimum number of Checks in each of them. */
const BUSY_CHECKS = 20;

/** Repeats with Node's timer, without keeping the process alive. */
export function everyInterval(everyMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, everyMs).unref();
  return () => clearInterval(timer);
}

/** Starts measuring. */
export function createOverloadGuard({ limitMs, answered, stopwatch, every }: OverloadOptions): OverloadGuard {
  let last = stopwatch();
  let lastAnswered = answered();
  let late = 0;
  const stop = every(TICK_MS, () => {
    const now = stopwatch();
    const isBusy = answered() - lastAnswered >= BUSY_CHECKS;
    late = isBusy && now - last - TICK_MS > limitMs() ? late + 1 : 0;
    last = now;
    lastAnswered = answered();
  });
  return { isOverloaded: () => late >= LATE_TICKS, stop };
}
