import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../ports.js';
import { StoreUnavailableError, TokenListFullError } from '../store.js';

/** How calls to a database are bounded. */
export interface AvailabilityOptions {
  readonly logger: Logger;
  /** Of one call with all its retries, milliseconds. */
  readonly timeoutMs: number;
  /** Calls without an answer at most; more are refused at once. */
  readonly maxPending: number;
  readonly isConflict: (error: unknown) => boolean;
}

/** The pauses between tries where somebody else was faster grow to this, milliseconds. */
const MAX_PAUSE_MS = 40;

/**
 * Runs calls to a database: in limited number, each within a time limit, again after a conflict. Turns whatever fails
 * into a StoreUnavailableError, and logs the first failure and the first success after it.
 */
export class Availability {
  private pending = 0;
  private isDown = false;

  constructor(private readonly options: AvailabilityOptions) {}

  /**
   * @param work may be called more than once
   * @param timeoutMs default: that of the options
   * @throws StoreUnavailableError, TokenListFullError
   */
  async run<T>(work: () => Promise<T>, timeoutMs = this.options.timeoutMs): Promise<T> {
    if (this.pending >= this.options.maxPending) {
      throw new StoreUnavailableError('too many calls wait for the token store');
    }
    this.pending++;
    try {
      const result = await this.withinTime(work, timeoutMs);
      this.noteUp();
      return result;
    } catch (error) {
      // One that is thrown already has been logged.
      if (error instanceof TokenListFullError || error instanceof StoreUnavailableError) throw error;
      throw this.noteDown(error);
    } finally {
      this.pending--;
    }
  }

  private async withinTime<T>(work: () => Promise<T>, timeoutMs: number): Promise<T> {
    const state = { isOver: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([this.withRetries(work, state), late]);
    } finally {
      state.isOver = true;
      clearTimeout(timer);
    }
  }

  private async withRetries<T>(work: () => Promise<T>, state: { readonly isOver: boolean }): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (state.isOver || !this.options.isConflict(error)) throw error;
        await delay(Math.min(attempt * 4, MAX_PAUSE_MS));
      }
    }
  }

  private noteUp(): void {
    if (this.isDown) this.options.logger.info({}, 'the token store is available again');
    this.isDown = false;
  }

  private noteDown(error: unknown): StoreUnavailableError {
    const reason = describeFailure(error);
    if (!this.isDown) this.options.logger.error({ reason }, 'the token store is not available');
    this.isDown = true;
    // The cause stays behind: errors of databases quote values.
    return new StoreUnavailableError(`the token store is not available: ${reason}`);
  }
}

/** SQLSTATE classes whose messages speak of the server, never of values: connection, authorization, catalog, resources. */
const SERVER_CLASSES = /^(08|28|3D|53|57)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;
const MAX_REASON_LENGTH = 200;

/** @returns what may be logged of a failure: its code, and its message only where that cannot quote a value */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const mayQuote = code !== undefined && SQLSTATE.test(code) && !SERVER_CLASSES.test(code);
  const message = mayQuote || error.message === '' ? error.name : error.message;
  return [code, message.slice(0, MAX_REASON_LENGTH)].filter((part) => part !== undefined).join(': ');
}
