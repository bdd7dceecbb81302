/** Reports what is wrong with a configuration. Does not load the code that reads one. */
import type { LoadedConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import type { CliIo } from './io.js';

/**
 * Loads a configuration, and reports every problem, one per line.
 *
 * @returns undefined where it is bad
 */
export async function reportProblems(
  load: () => Promise<LoadedConfig>,
  io: CliIo,
): Promise<LoadedConfig | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) io.err(formatProblem(problem));
    return undefined;
  }
}

/** Reports what works and is probably not what was meant. */
export function reportWarnings({ warnings }: LoadedConfig, io: CliIo): void {
  for (const warning of warnings) io.err(`warning: ${formatProblem(warning)}`);
}
