/** Everything in one process. */
import type { Config } from '../config/config.js';
import type { RunningLog } from '../observability/log.js';
import { LOG_LEVELS } from '../observability/log.js';
import { createRuntime, type Runtime } from '../runtime.js';
import { startAdmin, type AdminBackend } from './admin.js';
import { startGrpcServer } from '../fronts/envoy/grpc.js';
import { startPublic } from './public.js';
import { grpcOptionsOf } from './grpc-options.js';
import type { Service } from './service.js';

/** Opens the ports of one process. @throws Error when one can not be opened; none stays open then */
export async function startSingle(config: Config, log: RunningLog): Promise<Service> {
  const runtime = await createRuntime(config, { log });
  const closers: (() => Promise<void>)[] = [() => runtime.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const admin = await startAdmin(localBackend(runtime, log), config.server.admin);
    closers.push(() => admin.close());
    if (config.server.public !== undefined) {
      const open = await startPublic(runtime.documents, config.server.public);
      closers.push(() => open.close());
    }
    const grpc = await startGrpcServer(runtime.handler, grpcOptionsOf(config));
    return {
      apply: (next) => runtime.apply(next),
      reloaded: (outcome) => runtime.metrics.reloaded(outcome),
      drain: async (timeoutMs) => {
        await grpc.drain(timeoutMs);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The admin port of one process. */
function localBackend(runtime: Runtime, log: RunningLog): AdminBackend {
  const { registry } = runtime.metrics;
  return {
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    readiness: () => Promise.resolve(runtime.readiness()),
    status: () => Promise.resolve(runtime.status()),
    invalidate: (issuer, drop) => runtime.invalidate(issuer, drop),
    setLogLevel: (level) => Promise.resolve(setLogLevel(log, level)),
  };
}

/** @returns false when there is no such level */
export function setLogLevel(log: RunningLog, level: string): boolean {
  if (!(LOG_LEVELS as readonly string[]).includes(level)) return false;
  log.level = level;
  return true;
}
