import type { Scheduler } from '../jwks/ports.js';

/** Too much is waited for already, or this waited too long. */
export class TooManyCallsError extends Error {
  override readonly name = 'TooManyCallsError';
}

/** Bounds of calls. */
export interface CallLimits {
  /** At once. */
  readonly concurrency: number;
  /** In the queue. */
  readonly maxWaiting: number;
  /** In the queue, milliseconds. */
  readonly maxWaitMs: number;
  readonly scheduler: Scheduler;
}

/**
 * Creates a gate for calls: so many run at once, so many wait, the next one is refused at once.
 *
 * @returns runs a call in its turn; rejects with TooManyCallsError, or as the call does
 */
export function createBoundedCalls(limits: CallLimits): <T>(call: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting = new Set<() => void>();

  const turn = (): Promise<void> => {
    if (running < limits.concurrency) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= limits.maxWaiting) throw new TooManyCallsError('too many calls wait');
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        cancel();
        resolve();
      };
      const cancel = limits.scheduler.after(limits.maxWaitMs, () => {
        waiting.delete(begin);
        reject(new TooManyCallsError('waited too long for a turn'));
      });
      waiting.add(begin);
    });
  };

  /** The caller that has waited longest takes the place. */
  const done = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return async (call) => {
    await turn();
    try {
      return await call();
    } finally {
      done();
    }
  };
}
