/** `portcullis serve`: one process, or a primary with workers; signals, reload and drain. */
import { availableParallelism } from 'node:os';
import { watchConfig } from '../config/watch.js';
import type { Config } from '../config/config.js';
import { loadConfigInThread } from '../config/load-in-thread.js';
import type { LoadedConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import { createLog, type RunningLog } from '../observability/log.js';
import { createReloader } from './reload.js';
import { startPrimary } from './primary.js';
import type { Service } from './service.js';
import { startSingle } from './single.js';

/** What `serve` hands over: a configuration that was read and found good. */
export interface StartOptions extends LoadedConfig {
  /** For reloads. */
  readonly configFile: string;
}

/** A running server. */
export interface RunningServer {
  /** Drains and ends; resolves when nothing is open. */
  stop(): Promise<void>;
}

/** Opens the ports and serves until a signal. @throws Error when a port can not be opened */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const log = createLog(options.config.log);
  for (const warning of options.warnings) log.warn({}, formatProblem(warning));
  const workers = workerCountOf(options.config);
  const service =
    workers === 1
      ? await startSingle(options.config, log)
      : await startPrimary(options.config, { workers, log });
  log.info({ grpc: options.config.server.grpc, admin: options.config.server.admin, workers }, 'serving');
  return supervise(service, options, log);
}

function workerCountOf({ server }: Config): number {
  return server.workers === 'auto' ? availableParallelism() : server.workers;
}

function supervise(service: Service, options: StartOptions, log: RunningLog): RunningServer {
  let current = options.config;
  const reload = createReloader({
    load: async () => {
      try {
        const loaded = await loadConfigInThread(options.configFile);
        watcher.watch(loaded.files);
        return loaded;
      } catch (error) {
        // A file that could not be read now may appear later.
        if (error instanceof ConfigError) watcher.watch(error.files);
        throw error;
      }
    },
    apply: async (config) => {
      await service.apply(config);
      current = config;
    },
    current: () => current,
    reloaded: (outcome) => service.reloaded(outcome),
    log,
  });
  const watcher = watchConfig(options.configFile, () => void reload(), { loaded: options });
  watcher.watch(options.files);
  const onHangup = (): void => void reload();
  process.on('SIGHUP', onHangup);

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      watcher.close();
      process.off('SIGHUP', onHangup);
      log.info({}, 'draining');
      await service.drain(current.server.drainTimeout);
      log.info({}, 'stopped');
      await flush(log);
    })();
    return stopping;
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void stop().then(() => process.exit(0)));
  return { stop };
}

async function flush(log: RunningLog): Promise<void> {
  await new Promise<void>((resolve) => {
    log.flush(() => resolve());
  });
}
