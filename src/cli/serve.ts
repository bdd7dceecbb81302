import type { LoadedConfig } from '../config/load.js';
import { ConfigError } from '../config/problems.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';
import { loadOrReport } from './load.js';

/** Opens the ports; rejects where one can not be opened. */
export type StartServer = (options: LoadedConfig & { readonly configFile: string }) => Promise<unknown>;

/**
 * `portcullis serve`. Opens no port before the whole configuration was found good.
 *
 * @returns undefined while it serves: signals end it
 */
export async function runServe(
  options: { readonly config: string },
  { io, startServer }: { readonly io: CliIo; readonly startServer: StartServer },
): Promise<ExitCode | undefined> {
  const loaded = loadOrReport(options.config, io);
  if (loaded === undefined) return EXIT.failed;
  try {
    await startServer({ ...loaded, configFile: options.config });
    return undefined;
  } catch (error) {
    io.err(
      error instanceof ConfigError ? error.message : `portcullis: can not serve: ${describeError(error)}`,
    );
    return EXIT.failed;
  }
}
