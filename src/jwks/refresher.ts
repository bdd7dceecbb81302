import type { Clock } from '../ports.js';
import type { Cancel, Scheduler } from './ports.js';

/** How a single attempt is made. */
export interface Attempt {
  /** What is remembered of the way to the set is asked for again. */
  readonly thorough: boolean;
  /** Aborted when the attempt is superseded or no longer wanted. */
  readonly signal: AbortSignal;
}

/** What a refresher needs. */
export interface RefresherOptions<T> {
  /** Asks once; must settle. */
  fetch(attempt: Attempt): Promise<T>;
  /** Takes the answer; may throw, which is a failure. Not called for an attempt that was superseded. */
  accept(value: T): void;
  /** Called after a failure. */
  failed(error: unknown, retryInMs: number): void;
  /** Milliseconds to the next attempt after a success; undefined: none by itself. */
  refreshInMs(): number | undefined;
  /** Milliseconds to the next attempt after so many failures in a row. */
  retryInMs(failures: number): number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

interface Flight {
  readonly controller: AbortController;
  done: Promise<boolean>;
}

/** The longest delay that is given to a timer: they overflow at 24 days. */
const MAX_DELAY_MS = 86_400_000;

/**
 * Keeps something fresh: one attempt at a time, the next one scheduled after each, with back-off after failures. Needs
 * no traffic to recover.
 */
export class Refresher<T> {
  #flight: Flight | undefined;
  #timer: Cancel | undefined;
  #failures = 0;
  #retryAtMs = 0;

  /** @param options what it refreshes, and when */
  constructor(private readonly options: RefresherOptions<T>) {}

  /** Attempts that failed since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Is an attempt under way? */
  get inFlight(): boolean {
    return this.#flight !== undefined;
  }

  /**
   * How long until the next attempt after a failure; 0 when none failed or the time has come.
   *
   * @param nowMs milliseconds since the epoch
   */
  backOffMs(nowMs: number): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#retryAtMs - nowMs);
  }

  /**
   * Makes an attempt, or joins the one that is under way.
   *
   * @returns whether it succeeded; never rejects
   */
  run(thorough = false): Promise<boolean> {
    if (this.#flight !== undefined) return this.#flight.done;
    this.#cancelTimer();
    const flight: Flight = { controller: new AbortController(), done: Promise.resolve(false) };
    this.#flight = flight;
    flight.done = this.#attempt(flight, thorough);
    return flight.done;
  }

  /** Makes an attempt that begins now; one that is under way is given up, and its callers get the result of this one. */
  restart(): Promise<boolean> {
    const former = this.#flight;
    this.#flight = undefined;
    const done = this.run(true);
    former?.controller.abort();
    return done;
  }

  /** Moves the next attempt after a change of what `refreshInMs` says. */
  reschedule(): void {
    if (this.inFlight || this.#failures > 0) return;
    this.#schedule(this.options.refreshInMs());
  }

  /** Gives up what is under way and scheduled. */
  stop(): void {
    this.#cancelTimer();
    const flight = this.#flight;
    this.#flight = undefined;
    flight?.controller.abort();
  }

  async #attempt(flight: Flight, thorough: boolean): Promise<boolean> {
    try {
      const value = await this.options.fetch({ thorough, signal: flight.controller.signal });
      if (this.#flight !== flight) return await this.#superseded();
      this.options.accept(value);
      this.#failures = 0;
      this.#land(this.options.refreshInMs());
      return true;
    } catch (error) {
      if (this.#flight !== flight) return this.#superseded();
      this.#failures += 1;
      const retryInMs = this.options.retryInMs(this.#failures);
      this.#retryAtMs = this.options.clock.now() + retryInMs;
      this.#land(retryInMs);
      this.options.failed(error, retryInMs);
      return false;
    }
  }

  #superseded(): Promise<boolean> {
    return this.#flight?.done ?? Promise.resolve(false);
  }

  #land(nextInMs: number | undefined): void {
    this.#flight = undefined;
    this.#schedule(nextInMs);
  }

  #schedule(delayMs: number | undefined): void {
    this.#cancelTimer();
    if (delayMs === undefined) return;
    this.#timer = this.options.scheduler.after(Math.min(delayMs, MAX_DELAY_MS), () => {
      this.#timer = undefined;
      void this.run();
    });
  }

  #cancelTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
