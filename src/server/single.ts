/** Everything in one process. */
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config, IssuerConfig } from '../config/config.js';
import type { RunningLog } from '../observability/log.js';
import { LOG_LEVELS, applyLogConfig } from '../observability/log.js';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../ports.js';
import { createRuntime, type Runtime } from '../runtime.js';
import { connectState } from '../runtime/shared-state.js';
import type { AdminBackend } from './admin.js';
import { startGrpcServer } from '../fronts/envoy/grpc.js';
import { personalTokensOf } from './token-service.js';
import type { MountedService } from './mounted-service.js';
import { openOwnedPorts } from './owned-ports.js';
import { assertTlsUsable, grpcOptionsOf, grpcTlsOf } from './grpc-options.js';
import type { ReloadStatus } from './reload-status.js';
import type { Service } from './service.js';
import { openServices } from './services.js';
import type { Insights } from '../token-service/insights/router.js';

/** What the process that owns the configuration brings. */
export interface OwnerOptions {
  readonly log: RunningLog;
  readonly reloads: ReloadStatus;
}

/** Opens the ports of one process. @throws Error when one cannot be opened; none stays open then */
export async function startSingle(config: Config, { log, reloads }: OwnerOptions): Promise<Service> {
  const draining = { isDraining: false };
  let current = config;
  // The service needs the runtime, and the runtime the service: it is there before the first Check.
  let askPersonalToken: AskPersonalToken = () => Promise.resolve({ retryAfterS: 1 });
  const runtime = await createRuntime(config, { log, askPersonalToken: (token) => askPersonalToken(token) });
  const closers: (() => Promise<void>)[] = [() => runtime.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const services = await openServices({
      ...serviceContextOf(config, runtime, log),
      insights: localInsights(runtime),
    });
    closers.push(() => services.close());
    askPersonalToken = personalTokensOf(services.byName);
    for (const { state } of services.all)
      if (state !== undefined) connectState(state, (message) => runtime.state.receive(message));
    const ports = await openOwnedPorts(config, {
      backend: localBackend({ runtime, services: services.all, log, draining }),
      documents: runtime.documents,
      services: services.all,
      configStatus: () => reloads.current,
    });
    closers.push(() => ports.close());
    runtime.metrics.observeConfig(reloads);
    const grpc = await startGrpcServer(runtime.handler, grpcOptionsOf(config));
    return {
      apply: async (next) => {
        assertTlsUsable(next);
        await runtime.apply(next);
        await services.apply(next);
        ports.apply(next);
        grpc.replaceTls(grpcTlsOf(next));
        applyLogConfig(log, { before: current.log, after: next.log });
        current = next;
      },
      reloaded: (outcome) => runtime.metrics.reloaded(outcome),
      drain: async ({ delayMs, timeoutMs }) => {
        draining.isDraining = true;
        grpc.announceDrain();
        await pause(delayMs);
        await grpc.drain(timeoutMs);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What the services of this process borrow from it. */
export function serviceContextOf(config: Config, runtime: Runtime, log: RunningLog) {
  const { registry } = runtime.metrics;
  return {
    config,
    log,
    clock: systemClock,
    registry,
    metrics: runtime.metrics,
    keysOf: (issuer: IssuerConfig) => runtime.keysOf(issuer),
    fetcher: runtime.fetcher,
    replay: runtime.replay,
    redis: () => runtime.redis.open(),
  };
}

/** What the Checks of this process came to. */
function localInsights(runtime: Runtime): Insights {
  return {
    denials: (limit) => Promise.resolve(runtime.denials?.latest(limit) ?? []),
    keys: () => Promise.resolve(runtime.keyStatus()),
  };
}

interface LocalParts {
  readonly runtime: Runtime;
  readonly services: readonly MountedService[];
  readonly log: RunningLog;
  readonly draining: { readonly isDraining: boolean };
}

/** The admin port of one process. */
function localBackend({ runtime, services, log, draining }: LocalParts): AdminBackend {
  const { registry } = runtime.metrics;
  return {
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    readiness: () => Promise.resolve(withServices(runtime.readiness(), { services, ...draining })),
    status: () => Promise.resolve(runtime.status()),
    invalidate: (issuer, drop) => runtime.invalidate(issuer, drop),
    setLogLevel: (level) => Promise.resolve(setLogLevel(log, level)),
  };
}

/** Readiness of the Checks, and of the services beside them. */
export function withServices(
  { lacking }: { readonly lacking: readonly string[] },
  { services, isDraining }: { readonly services: readonly MountedService[]; readonly isDraining: boolean },
): { ready: boolean; lacking: readonly string[] } {
  const all = [
    ...(isDraining ? ['draining'] : []),
    ...lacking,
    ...services.flatMap((service) => service.lacking?.() ?? []),
  ];
  return { ready: all.length === 0, lacking: all };
}

/** @returns false when there is no such level */
export function setLogLevel(log: RunningLog, level: string): boolean {
  if (!(LOG_LEVELS as readonly string[]).includes(level)) return false;
  log.level = level;
  return true;
}
