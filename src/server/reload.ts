/** Reloading: a good file takes the place of the running configuration as a whole, a bad one changes nothing. */
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import { type BoundValues, changedAtRestart } from '../config/bound-values.js';
import type { Logger } from '../ports.js';

/** What came of a reload. */
export type ReloadResult =
  | { readonly outcome: 'success'; readonly digests: LoadedConfig['digests'] }
  /** Problems in words, without values of the file. */
  | { readonly outcome: 'failure'; readonly problems: readonly string[] };

/** What a reload does. */
export interface ReloadOptions {
  /** Reads and checks the file. @throws ConfigError */
  readonly load: () => Promise<Pick<LoadedConfig, 'config' | 'warnings' | 'digests' | 'bound'>>;
  /** Puts the configuration in force. */
  readonly apply: (config: Config) => Promise<void>;
  /** What the keys that take effect at the next start were set to when this process started. */
  readonly started: BoundValues;
  readonly reloaded: (result: ReloadResult) => void;
  readonly log: Logger;
}

/**
 * Makes the reload function. Calls that come while one is running are answered by one more run after it.
 *
 * @returns a function that never throws
 */
export function createReloader(options: ReloadOptions): () => Promise<void> {
  let wanted = 0;
  let tail: Promise<void> = Promise.resolve();
  return () => {
    const turn = ++wanted;
    // Requests that come before a run begins are served by one run.
    tail = tail.then(() => (turn === wanted ? reloadOnce(options) : undefined));
    return tail;
  };
}

async function reloadOnce({ load, apply, started, reloaded, log }: ReloadOptions): Promise<void> {
  try {
    const { config, warnings, digests, bound } = await load();
    for (const warning of warnings) log.warn({}, formatProblem(warning));
    const waiting = changedAtRestart(started, bound);
    if (waiting.length > 0)
      log.warn({ keys: waiting }, `${waiting.join(', ')} changed, and takes effect at the next start only`);
    await apply(config);
    reloaded({ outcome: 'success', digests });
    log.info({}, 'configuration reloaded');
  } catch (error) {
    const problems = problemsOf(error);
    reloaded({ outcome: 'failure', problems });
    log.error(
      error instanceof ConfigError ? { problems } : { err: error },
      'configuration not reloaded; the running one stays',
    );
  }
}

function problemsOf(error: unknown): string[] {
  if (error instanceof ConfigError) return error.problems.map(formatProblem);
  return [error instanceof Error ? error.message : 'failed'];
}
