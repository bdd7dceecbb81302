/** `portcullis serve`: one process, or a primary with workers; signals, reload and drain. */
import { availableParallelism } from 'node:os';
import { watchConfig, type ConfigWatcher } from '../config/watch.js';
import type { Config } from '../config/config.js';
import { loadConfigInThread } from '../config/load-in-thread.js';
import type { LoadedConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import { openAuditLog, type AuditLog } from '../observability/audit/audit-log.js';
import { logOptionsOf } from '../observability/audit/shared-output.js';
import { createLog, type RunningLog } from '../observability/log.js';
import { systemClock } from '../ports.js';
import { createReloader } from './reload.js';
import { ReloadStatus } from './reload-status.js';
import { startPrimary } from './primary.js';
import type { Service } from './service.js';
import { startAlone } from './alone.js';

/** What `serve` hands over: a configuration that was read and found good. */
export interface StartOptions extends LoadedConfig {
  /** For reloads. */
  readonly configFile: string;
  /** Did SIGHUP arrive during the start? Called once, when the server listens for it itself. */
  readonly takeHangup?: () => boolean;
}

/** A running server. */
export interface RunningServer {
  /** Drains and ends; resolves when nothing is open. */
  stop(): Promise<void>;
}

/** Opens the ports and serves until a signal. @throws Error when a port cannot be opened */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config } = options;
  const log = createLog(logOptionsOf(config));
  const audit = openAuditLog(config.audit, { clock: systemClock, log });
  log.audit = audit?.administered;
  for (const warning of options.warnings) log.warn({}, formatProblem(warning));
  const workers = workerCountOf(config);
  const reloads = new ReloadStatus(options.digests, systemClock);
  const service =
    workers === 1
      ? await startAlone(config, { log, reloads, audit })
      : await startPrimary(config, { workers, log, reloads, audit });
  const { grpc, admin, http } = config.server;
  log.info({ grpc, admin, http: http?.address, workers }, 'serving');
  return supervise(service, options, { log, reloads, audit });
}

function workerCountOf({ server }: Config): number {
  return server.workers === 'auto' ? availableParallelism() : server.workers;
}

interface Supervision {
  readonly log: RunningLog;
  readonly reloads: ReloadStatus;
  readonly audit: AuditLog | undefined;
}

function supervise(
  service: Service,
  options: StartOptions,
  { log, reloads, audit }: Supervision,
): RunningServer {
  let current = options.config;
  const reload = createReloader({
    load: () => loadAndWatch(options.configFile, () => watcher),
    apply: async (config) => {
      await service.apply(config);
      current = config;
    },
    started: options.bound,
    reloaded: (result) => {
      if (result.outcome === 'success') reloads.succeeded(result.digests);
      else reloads.failed(result.problems);
      service.reloaded(result.outcome);
      audit?.administered({ action: 'reload', outcome: result.outcome === 'success' ? 'ok' : 'failed' });
    },
    log,
  });
  const watcher = watchConfig(options.configFile, () => void reload(), { loaded: options });
  watcher.watch(options.files, options.digests);
  const onHangup = (): void => {
    service.reopenAudit();
    void reload();
  };
  process.on('SIGHUP', onHangup);
  // For log rotation alone. Without a listener the signal would end the process.
  process.on('SIGUSR2', () => service.reopenAudit());
  if (options.takeHangup?.() === true) void reload();

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      watcher.close();
      // A hang-up has nothing to reload now, and must not end the drain.
      process.off('SIGHUP', onHangup).on('SIGHUP', () => undefined);
      log.info({}, 'draining');
      const { drainDelay: delayMs, drainTimeout: timeoutMs } = current.server;
      await service.drain({ delayMs, timeoutMs });
      log.info({}, 'stopped');
      await audit?.close();
      await flush(log);
    })();
    return stopping;
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void stop().then(() => process.exit(0)));
  return { stop };
}

/** What was read is compared with what is there from then on, so that a change during the load is not missed. */
async function loadAndWatch(file: string, watcher: () => ConfigWatcher): Promise<LoadedConfig> {
  try {
    const loaded = await loadConfigInThread(file);
    watcher().watch(loaded.files, loaded.digests);
    return loaded;
  } catch (error) {
    // A file that could not be read now may appear later.
    if (error instanceof ConfigError) watcher().watch(error.files, error.digests);
    throw error;
  }
}

async function flush(log: RunningLog): Promise<void> {
  await new Promise<void>((resolve) => {
    log.flush(() => resolve());
  });
}
