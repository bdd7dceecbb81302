/**
 * Is the event loop too far behind to answer in time? A timer that should fire every few milliseconds measures by how
 * much it is late. One late tick is a garbage collection or a reload; several in a row are a queue that grows.
 */

/** Where the measure is read. */
export interface OverloadGuard {
  isOverloaded(): boolean;
  stop(): void;
}

/** What the guard is made of. */
export interface OverloadOptions {
  /** Delay of the event loop beyond which Checks are refused, milliseconds; read each time, as a reload may change it. */
  readonly limitMs: () => number;
  /** Monotonic milliseconds. */
  readonly stopwatch: () => number;
  /** Calls back every `everyMs`; returns how to end it. */
  readonly every: (everyMs: number, tick: () => void) => () => void;
}

const TICK_MS = 20;
/** Ticks in a row that must be late. */
const LATE_TICKS = 3;

/** Repeats with Node's timer, without keeping the process alive. */
export function everyInterval(everyMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, everyMs).unref();
  return () => clearInterval(timer);
}

/** Starts measuring. */
export function createOverloadGuard({ limitMs, stopwatch, every }: OverloadOptions): OverloadGuard {
  let last = stopwatch();
  let late = 0;
  const stop = every(TICK_MS, () => {
    const now = stopwatch();
    late = now - last - TICK_MS > limitMs() ? late + 1 : 0;
    last = now;
  });
  return { isOverloaded: () => late >= LATE_TICKS, stop };
}
