/** The other thread of background.ts: loads one configuration, answers, ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BackgroundAnswer } from './background.js';
import { loadConfig } from './load.js';
import { ConfigError } from './problems.js';

function load(file: string): BackgroundAnswer {
  try {
    return { loaded: loadConfig(file) };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems, files: error.files };
    throw error;
  }
}

parentPort?.postMessage(load(workerData as string));
