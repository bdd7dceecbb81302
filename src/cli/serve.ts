import type { LoadedConfig } from '../config/load.js';
import { ConfigError } from '../config/problems.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';
import { reportProblems } from './problems.js';

/** Opens the ports; rejects where one cannot be opened. */
export type StartServer = (options: LoadedConfig & { readonly configFile: string }) => Promise<unknown>;

/** What `serve` is made of. */
export interface ServeDependencies {
  readonly io: CliIo;
  /** Reads the configuration beside this thread. @throws ConfigError */
  readonly loadConfig: (file: string) => Promise<LoadedConfig>;
  /** Loads the code of the server. */
  readonly loadServer: () => Promise<StartServer>;
}

/**
 * `portcullis serve`. The code of the server is loaded while the configuration is read, which halves the start. Opens no
 * port before the whole configuration was found good.
 *
 * @returns undefined while it serves: signals end it
 */
export async function runServe(
  options: { readonly config: string },
  { io, loadConfig, loadServer }: ServeDependencies,
): Promise<ExitCode | undefined> {
  const [loaded, startServer] = await Promise.all([
    reportProblems(() => loadConfig(options.config), io),
    loadServer(),
  ]);
  if (loaded === undefined) return EXIT.failed;
  try {
    await startServer({ ...loaded, configFile: options.config });
    return undefined;
  } catch (error) {
    io.err(
      error instanceof ConfigError ? error.message : `portcullis: cannot serve: ${describeError(error)}`,
    );
    return EXIT.failed;
  }
}
