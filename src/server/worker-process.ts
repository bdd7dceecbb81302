/**
 * A worker: started by the primary, told its configuration over the channel between them, ended by it too. It reads no
 * file and fetches nothing; key sets and (memory) replay answers come from the primary.
 */
import type { Config } from '../config/config.js';
import { restoreConfig } from '../config/restore.js';
import { setTimeout as pause } from 'node:timers/promises';
import { applyLogConfig, createLog, type RunningLog } from '../observability/log.js';
import { createRuntime, type Runtime } from '../runtime.js';
import type { StateMessage } from '../runtime/shared-state.js';
import { startGrpcServer, type GrpcServer } from '../fronts/envoy/grpc.js';
import { grpcOptionsOf, grpcTlsOf } from './grpc-options.js';
import { boundHeapGrowth } from './heap-growth.js';
import { createIpcPeer } from './ipc.js';
import { setLogLevel } from './single.js';
import type { DrainTimes } from './service.js';
import {
  createPrimaryFetcher,
  createPrimaryIntrospection,
  createPrimaryPersonalTokens,
  createPrimaryReplay,
} from './primary-services.js';

/** Longer than any dependency's own time-out, so that the better error wins. */
const LIMITS = { timeoutMs: 15_000, maxOpen: 10_000 };

interface Serving {
  readonly runtime: Runtime;
  readonly server: GrpcServer;
  readonly log: RunningLog;
  config: Config;
}

let serving: Serving | undefined;
const early: StateMessage[] = [];

const primary = createIpcPeer(
  {
    send: (message, failed) => process.send?.(message, failed),
    onMessage: (listener) => process.on('message', listener),
  },
  {
    start: async ({ config, state }: { config: Config; state: readonly StateMessage[] }) => {
      for (const message of state) early.push(message);
      serving = await start(restoreConfig(config));
      for (const message of early.splice(0)) serving.runtime.state.receive(message);
    },
    state: ({ message }: { message: StateMessage }) => {
      // While the worker starts, changes wait behind the snapshot.
      if (serving === undefined) early.push(message);
      else serving.runtime.state.receive(message);
    },
    apply: ({ config }: { config: Config }) => apply(restoreConfig(config)),
    metrics: () => current().runtime.metrics.registry.getMetricsAsJSON(),
    readiness: () => current().runtime.readiness(),
    keyStatus: () => current().runtime.keyStatus(),
    denials: ({ limit }: { limit: number }) => current().runtime.denials?.latest(limit) ?? [],
    status: () => ({ pid: process.pid, ...current().runtime.status() }),
    invalidate: ({ issuer, drop }: { issuer?: string; drop: boolean }) =>
      current().runtime.invalidate(issuer, drop),
    setLogLevel: ({ level }: { level: string }) => setLogLevel(current().log, level),
    drain: (times: DrainTimes) => void stop(times),
  },
  LIMITS,
);

async function start(config: Config): Promise<Serving> {
  boundHeapGrowth();
  const log = createLog(config.log);
  const runtime = await createRuntime(config, {
    log,
    primary: {
      fetcher: createPrimaryFetcher(primary),
      replay: config.replay.store === 'memory' ? createPrimaryReplay(primary) : undefined,
      introspect: createPrimaryIntrospection(primary),
    },
    askPersonalToken: createPrimaryPersonalTokens(primary),
  });
  // Before the first request: a worker that serves knows what is revoked.
  for (const message of early.splice(0)) runtime.state.receive(message);
  const server = await startGrpcServer(runtime.handler, { ...grpcOptionsOf(config), shared: true });
  return { runtime, server, log, config };
}

async function apply(config: Config): Promise<void> {
  const { runtime, server, log } = current();
  await runtime.apply(config);
  server.replaceTls(grpcTlsOf(config));
  applyLogConfig(log, { before: current().config.log, after: config.log });
  current().config = config;
}

function current(): Serving {
  if (serving === undefined) throw new Error('not started');
  return serving;
}

async function stop({ delayMs, timeoutMs }: DrainTimes): Promise<void> {
  if (serving === undefined) process.exit(0);
  const { server, runtime, log } = serving;
  server.announceDrain();
  await pause(delayMs);
  await server.drain(timeoutMs);
  await runtime.close();
  log.flush(() => process.exit(0));
}

// The whole process group may be signalled at once: the primary says when it is time.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
// Without the primary there is nobody to ask for keys, and nobody who would restart us.
process.on('disconnect', () => process.exit(1));

void primary.call('hello');
