/**
 * Many processes behind one port. The primary reads the configuration, asks issuers once for all, remembers spent proofs
 * where that is done in memory, and owns services and HTTP ports; the workers answer Checks.
 */
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Config } from '../config/config.js';
import { prepareSocket, withSocketMode } from '../fronts/envoy/unix-socket.js';
import { createSharedFetcher } from '../jwks/shared-fetcher.js';
import type { MeasuredState, Metrics } from '../observability/metric-ports.js';
import { createMetrics } from '../observability/metrics.js';
import type { RunningLog } from '../observability/log.js';
import { systemClock } from '../ports.js';
import { openIntrospections, useIntrospections } from '../runtime/introspections.js';
import { createKeyRegistry } from '../runtime/key-registry.js';
import { openNetwork } from '../runtime/network.js';
import { createReplay, proofWindowOf } from '../runtime/replay.js';
import type { Readiness } from '../runtime/status.js';
import { createRedisAccess } from '../stores/redis-access.js';
import type { ReplayStore } from '../stores/replay-store.js';
import { VERSION } from '../version.js';
import type { AdminBackend } from './admin.js';
import { Closers } from './closers.js';
import { assertTlsUsable } from './grpc-options.js';
import { clusterInsights } from './insights.js';
import { setLogLevel } from './log-level.js';
import { Owner, type OwnerOptions } from './owner.js';
import { primaryHandlers } from './primary-services.js';
import type { Service } from './service.js';
import { personalTokensOf } from './token-service.js';
import { WorkerPool } from './worker-pool.js';

/** How many processes, and what the owner brings. */
export interface PrimaryOptions extends OwnerOptions {
  readonly workers: number;
}

/** What only the old configuration asked goes when its last Check must have ended. */
const RETIRE_AFTER_MS = 15_000;
const AT_ONCE = { delayMs: 0, timeoutMs: 0 };

/** Starts the workers and opens the ports. @throws Error when the first workers do not come up */
export async function startPrimary(config: Config, options: PrimaryOptions): Promise<Service> {
  const closers = new Closers();
  return closers.closeIfFails(() => openPrimary(config, options, closers));
}

async function openPrimary(config: Config, options: PrimaryOptions, closers: Closers): Promise<Service> {
  const { log } = options;
  const parts = openPrimaryParts(config, options, closers);
  const { metrics, keys, replay, introspections, shared } = parts;
  const insights = clusterInsights(() => pool);
  const owner = await Owner.open(config, {
    ...{ ...options, ...parts, insights, closers },
    introspect: introspections.ask,
  });
  const pool = new WorkerPool(config, {
    ...options,
    states: owner.mounted.flatMap(({ state }) => state ?? []),
    handlers: primaryHandlers({
      ...{ fetcher: shared, replay },
      introspect: introspections.ask,
      askPersonalToken: personalTokensOf(owner.servicesByName),
    }),
  });
  closers.add(() => pool.stop(AT_ONCE));
  await prepareSocket(config.server.grpc);
  const forget = (issuer: string | undefined): void => shared.forget(issuer);
  await owner.openPorts(clusterBackend({ metrics, pool, owner, log, forget }));
  await withSocketMode(config.server.grpc, () => pool.start());
  let current = config;
  const applyToWorkers = async (next: Config): Promise<void> => {
    // Before any worker accepts proofs by the new window.
    replay?.reconfigure(proofWindowOf(next));
    try {
      await pool.apply(next);
    } catch (error) {
      replay?.reconfigure(proofWindowOf(current));
      throw error;
    }
  };
  return {
    apply: async (next) => {
      assertTlsUsable(next);
      await applyToWorkers(next);
      keys.configure(next);
      useIntrospections(introspections, next, keys);
      keys.retain(next.issuers.map((issuer) => keys.keysOf(issuer)));
      current = next;
      setTimeout(() => introspections.retire(), RETIRE_AFTER_MS).unref();
      await owner.apply(next);
    },
    reopenAudit: () => {
      options.audit?.reopen();
      void pool.ask('reopenAudit', {});
    },
    reloaded: (outcome) => metrics.reloaded(outcome),
    drain: async (times) => {
      owner.announceDrain();
      await pool.stop(times);
      await closers.closeAll();
    },
  };
}

/** What the primary has instead of a runtime: it answers no Check. Its key sets are fetched where a service asks for them. */
function openPrimaryParts(config: Config, { log, audit }: OwnerOptions, closers: Closers) {
  const metrics = createMetrics(VERSION);
  const redis = createRedisAccess(config.redis?.url, { clock: systemClock, log });
  closers.add(() => redis.close());
  const network = openNetwork(config);
  closers.add(() => network.close());
  const keys = createKeyRegistry(config, { fetcher: network.fetcher, log, metrics });
  closers.add(() => keys.close());
  const replay =
    config.replay.store === 'memory'
      ? createReplay({ redis: undefined, clock: systemClock, config: () => config })
      : undefined;
  closers.add(() => replay?.close() ?? Promise.resolve());
  metrics.observe(measuredState({ log, audit, replay }));
  const introspections = openIntrospections(config, { log, metrics, redis, remembers: true });
  closers.add(() => introspections.close());
  useIntrospections(introspections, config, keys);
  const shared = createSharedFetcher(network.fetcher, systemClock);
  return { metrics, redis, keys, fetcher: shared, replay, introspections, shared };
}

/** The rest is measured by the workers. */
function measuredState({
  log,
  audit,
  replay,
}: Pick<OwnerOptions, 'log' | 'audit'> & { readonly replay: ReplayStore | undefined }): MeasuredState {
  return {
    keySets: () => [],
    replayEntries: () => replay?.entries,
    tokenCacheEntries: () => 0,
    checksWaiting: () => 0,
    logLinesDropped: () => log.droppedLines,
    auditLinesLost: () => audit?.lostLines ?? 0,
  };
}

interface ClusterParts {
  readonly metrics: Metrics;
  readonly pool: WorkerPool;
  readonly owner: Owner;
  readonly log: RunningLog;
  readonly forget: (issuer: string | undefined) => void;
}

/** The admin port speaks for all workers. */
function clusterBackend({ metrics, pool, owner, log, forget }: ClusterParts): AdminBackend {
  return {
    metrics: async () => {
      const reports = await pool.ask('metrics', {});
      const own: unknown = await metrics.registry.getMetricsAsJSON();
      const merged: Registry = AggregatorRegistry.aggregate([own, ...reports] as object[]);
      return { contentType: merged.contentType, text: await merged.metrics() };
    },
    readiness: async () => owner.readiness(mergeReadiness(await pool.ask('readiness', {}), pool.size)),
    status: async () => ({ workers: pool.describe(), each: await pool.ask('status', {}) }),
    invalidate: async (issuer, drop) => {
      forget(issuer);
      const reports = await pool.ask('invalidate', { issuer, drop });
      return reports.find((report) => report !== undefined);
    },
    setLogLevel: async (level) => {
      const known = setLogLevel(log, level);
      if (known) await pool.ask('setLogLevel', { level });
      return known;
    },
  };
}

function mergeReadiness(reports: readonly Readiness[], expected: number): Readiness {
  const lacking = new Set(reports.flatMap((report) => report.lacking));
  if (reports.length < expected) lacking.add(`${expected - reports.length} of ${expected} workers`);
  return { ready: lacking.size === 0, lacking: [...lacking] };
}
