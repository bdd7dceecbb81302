/** Reloading: a good file takes the place of the running configuration as a whole, a bad one changes nothing. */
import { ConfigError, type Config } from '../config/load.js';
import type { Logger } from '../ports.js';

/** What a reload does. */
export interface ReloadOptions {
  /** Reads and checks the file. @throws ConfigError */
  readonly load: () => Promise<{ config: Config; warnings: readonly string[] }>;
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
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await reloadOnce(options);
    } while (again);
    running = undefined;
  };
  return () => {
    if (running !== undefined) again = true;
    else running = run();
    return running ?? Promise.resolve();
  };
}

async function reloadOnce({ load, apply, current, reloaded, log }: ReloadOptions): Promise<void> {
  try {
    const { config, warnings } = await load();
    for (const warning of warnings) log.warn({}, warning);
    if (needsRestart(current(), config)) log.warn({}, 'ports, TLS and workers change at the next start only');
    await apply(config);
    reloaded('success');
    log.info({}, 'configuration reloaded');
  } catch (error) {
    reloaded('failure');
    const problems = error instanceof ConfigError ? error.problems : undefined;
    log.error(
      problems === undefined ? { err: error } : { problems },
      'configuration not reloaded; the running one stays',
    );
  }
}

/** What is bound when the process starts. */
function needsRestart(before: Config, after: Config): boolean {
  const bound = ({ server }: Config): string =>
    JSON.stringify([server.grpc, server.admin, server.public, server.tls, server.workers]);
  return bound(before) !== bound(after);
}
