import { scrypt } from 'node:crypto';
import type { ScryptCost } from './scrypt-phc.js';

/** What the queue is bounded by. */
export interface ScryptQueueOptions {
  /** Hashes computed at a time, each in a thread of its own. */
  readonly concurrency: number;
  /** Hashes that may wait. */
  readonly queue: number;
}

/** One hash to compute. */
export interface ScryptWork extends ScryptCost {
  /** Hashed as UTF-8. */
  readonly secret: string;
  readonly salt: Buffer;
  /** Length of the hash, bytes. */
  readonly bytes: number;
}

/** Computes scrypt hashes off the event loop, a bounded number at a time. */
export interface ScryptQueue {
  /** @throws ScryptBusyError where as many wait as may */
  hash(work: ScryptWork): Promise<Buffer>;
}

/** As many hashes wait as may. */
export class ScryptBusyError extends Error {
  override readonly name = 'ScryptBusyError';
}

/**
 * Creates a queue. A hash takes tens of milliseconds and 32 MiB or more: without the bound, a flood of made-up tokens
 * would take all threads and all memory.
 */
export function createScryptQueue({ concurrency, queue }: ScryptQueueOptions): ScryptQueue {
  const waiting: (() => void)[] = [];
  let running = 0;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  return {
    async hash(work) {
      if (running < concurrency) running++;
      else if (waiting.length < queue) await new Promise<void>((resolve) => waiting.push(resolve));
      else throw new ScryptBusyError('too many secrets wait to be verified');
      try {
        return await compute(work);
      } finally {
        release();
      }
    },
  };
}

/** Of 128 * N * r bytes, which scrypt needs, and some room for p. */
function memoryOf({ ln, r, p }: ScryptCost): number {
  return 128 * r * (2 ** ln + p + 2) + 1024 * 1024;
}

function compute({ secret, salt, bytes, ln, r, p }: ScryptWork): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: memoryOf({ ln, r, p }) };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, bytes, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
