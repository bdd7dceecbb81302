import type { Clock } from '../../src/ports.js';
import type { Cancel, Scheduler } from '../../src/jwks/ports.js';

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock and its timers, which move when they are told to. */
export class FakeTime implements Clock, Scheduler {
  #nowMs: number;
  readonly #due = new Set<Due>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Cancel {
    const due = { atMs: this.#nowMs + delayMs, run };
    this.#due.add(due);
    return () => void this.#due.delete(due);
  }

  /** Milliseconds until each timer, soonest first. */
  get pending(): number[] {
    return [...this.#due].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Sets the clock, back or forth, without running anything. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Lets time pass: timers run in order, and what they set off settles, as far as it waits for nothing outside. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #next(endMs: number): Due | undefined {
    const ready = [...this.#due].filter(({ atMs }) => atMs <= endMs);
    return ready.sort((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Lets every promise that is ready go on. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
