/** The other thread of load-in-thread.ts: loads one configuration, answers, ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadAnswer } from './load-in-thread.js';
import { loadConfig } from './load.js';
import { ConfigError } from './problems.js';

function load(file: string): LoadAnswer {
  try {
    return { loaded: loadConfig(file) };
  } catch (error) {
    if (error instanceof ConfigError) {
      const { problems, files, digests } = error;
      return { problems, files, digests };
    }
    throw error;
  }
}

parentPort?.postMessage(load(workerData as string));
