/** Reloading: a good file takes the place of the running configuration as a whole, a bad one changes nothing. */
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import type { Logger } from '../ports.js';

/** What a reload does. */
export interface ReloadOptions {
  /** Reads and checks the file. @throws ConfigError */
  readonly load: () => Promise<Pick<LoadedConfig, 'config' | 'warnings'>>;
  /** Puts the configuration in force. */
  readonly apply: (config: Config) => Promise<void>;
  /** What runs now. */
  readonly current: () => Config;
  readonly reloaded: (outcome: 'success' | 'failure') => void;
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
    // Whoever is not the last to ask before a run begins is served by the one that is.
    tail = tail.then(() => (turn === wanted ? reloadOnce(options) : undefined));
    return tail;
  };
}

async function reloadOnce({ load, apply, current, reloaded, log }: ReloadOptions): Promise<void> {
  try {
    const { config, warnings } = await load();
    for (const warning of warnings) log.warn({}, formatProblem(warning));
    if (needsRestart(current(), config))
      log.warn({}, 'ports, TLS, workers and the stores change at the next start only');
    await apply(config);
    reloaded('success');
    log.info({}, 'configuration reloaded');
  } catch (error) {
    reloaded('failure');
    const fields =
      error instanceof ConfigError ? { problems: error.problems.map(formatProblem) } : { err: error };
    log.error(fields, 'configuration not reloaded; the running one stays');
  }
}

/** What is bound when the process starts. */
function needsRestart(before: Config, after: Config): boolean {
  const bound = ({ server, replay, redis, revocation }: Config): string =>
    JSON.stringify([
      [server.grpc, server.admin, server.public, server.tls, server.workers],
      // What happens while the store is out of reach is read anew; the store itself stays, with what it remembers.
      [{ ...replay, onUnavailable: undefined }, redis],
      [revocation?.store, revocation?.path],
    ]);
  return bound(before) !== bound(after);
}
