import { loadConfig, type LoadedConfig } from '../config/load.js';
import type { CliIo } from './io.js';
import { reportProblems } from './problems.js';

/**
 * Loads a configuration for a command, and reports every problem, one per line.
 *
 * @param file as it was given
 * @returns undefined where it is bad
 */
export function loadOrReport(file: string, io: CliIo): Promise<LoadedConfig | undefined> {
  return reportProblems(() => Promise.resolve(loadConfig(file)), io);
}
