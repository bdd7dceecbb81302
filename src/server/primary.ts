/**
 * Many processes behind one port. The primary reads the configuration, fetches key sets, remembers spent proofs where
 * that is done in memory, and owns the admin and public ports; the workers answer Checks. A worker that dies is
 * replaced, with a growing pause when it keeps dying.
 */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Config } from '../config/config.js';
import { applyLogConfig, type RunningLog } from '../observability/log.js';
import { createSharedFetcher } from '../jwks/shared-fetcher.js';
import { systemClock } from '../ports.js';
import { createRuntime, type Runtime } from '../runtime.js';
import type { SharedStateSource, StateMessage } from '../runtime/shared-state.js';
import type { AdminBackend, Readiness } from './admin.js';
import { prepareSocket, withSocketMode } from '../fronts/envoy/unix-socket.js';
import { createIpcPeer, type IpcHandlers, type IpcPeer } from './ipc.js';
import { personalTokensOf } from './token-service.js';
import { primaryHandlers } from './primary-services.js';
import type { MountedService } from './mounted-service.js';
import { openOwnedPorts } from './owned-ports.js';
import { openServices } from './services.js';
import type { IssuerKeysStatus } from '../jwks/key-status.js';
import { mergeDenials, type RecentDenial } from '../observability/recent-denials.js';
import type { Insights } from '../token-service/insights/router.js';
import { serviceContextOf, setLogLevel, withServices, type OwnerOptions } from './single.js';
import type { DrainTimes, Service } from './service.js';
import { assertTlsUsable } from './grpc-options.js';

/** How many processes, and where they are spoken of. */
export interface PrimaryOptions extends OwnerOptions {
  readonly workers: number;
}

const IPC_LIMITS = { timeoutMs: 10_000, maxOpen: 10_000 };
/** A worker that lived this long is taken as healthy, milliseconds. */
const HEALTHY_AFTER_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** Starts the workers and opens the ports. @throws Error when the first workers do not come up */
export async function startPrimary(config: Config, options: PrimaryOptions): Promise<Service> {
  const { log, reloads } = options;
  const draining = { isDraining: false };
  let current = config;
  const runtime = await createRuntime(config, { log, keepsKeys: false });
  const closers: (() => Promise<void>)[] = [() => runtime.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const shared = createSharedFetcher(runtime.fetcher, systemClock);
    const services = await openServices({
      ...serviceContextOf(config, runtime, log),
      insights: clusterInsights(() => pool),
    });
    closers.push(() => services.close());
    const states = services.all.flatMap(({ state }) => state ?? []);
    const pool = new WorkerPool(config, {
      ...options,
      states,
      handlers: primaryHandlers({
        fetcher: shared,
        replay: runtime.replay,
        introspect: (question) => runtime.introspect(question),
        askPersonalToken: personalTokensOf(services.byName),
      }),
    });
    closers.push(() => pool.stop({ delayMs: 0, timeoutMs: 0 }));
    await prepareSocket(config.server.grpc);
    const forget = (issuer: string | undefined): void => shared.forget(issuer);
    const ports = await openOwnedPorts(config, {
      backend: clusterBackend({ runtime, pool, services: services.all, log, forget, draining }),
      documents: runtime.documents,
      services: services.all,
      configStatus: () => reloads.current,
    });
    closers.push(() => ports.close());
    runtime.metrics.observeConfig(reloads);
    await withSocketMode(config.server.grpc, () => pool.start());
    return {
      apply: async (next) => {
        assertTlsUsable(next);
        await runtime.apply(next);
        await services.apply(next);
        ports.apply(next);
        await pool.apply(next);
        applyLogConfig(log, { before: current.log, after: next.log });
        current = next;
      },
      reloaded: (outcome) => runtime.metrics.reloaded(outcome),
      drain: async (times) => {
        draining.isDraining = true;
        await pool.stop(times);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What the Checks of all workers came to. The pool is there once services answer. */
function clusterInsights(pool: () => WorkerPool): Insights {
  return {
    denials: async (limit) =>
      mergeDenials((await pool().ask('denials', { limit })) as readonly RecentDenial[][], limit),
    keys: async () => mergeKeyStatus((await pool().ask('keyStatus')) as readonly IssuerKeysStatus[][]),
  };
}

/** Of each issuer the worst that a worker reports: without keys, or with the oldest. */
function mergeKeyStatus(reports: readonly (readonly IssuerKeysStatus[])[]): readonly IssuerKeysStatus[] {
  const worst = new Map<string, IssuerKeysStatus>();
  for (const status of reports.flat()) {
    const other = worst.get(status.issuer);
    const isWorse =
      other === undefined ||
      (other.ready && !status.ready) ||
      (other.ready === status.ready && (status.ageMs ?? 0) > (other.ageMs ?? 0));
    if (isWorse) worst.set(status.issuer, status);
  }
  return [...worst.values()];
}

interface ClusterParts {
  readonly runtime: Runtime;
  readonly pool: WorkerPool;
  readonly services: readonly MountedService[];
  readonly log: RunningLog;
  readonly forget: (issuer: string | undefined) => void;
  readonly draining: { readonly isDraining: boolean };
}

/** The admin port speaks for all workers. */
function clusterBackend({ runtime, pool, services, log, forget, draining }: ClusterParts): AdminBackend {
  return {
    metrics: async () => {
      const reports = await pool.ask('metrics');
      const own: unknown = await runtime.metrics.registry.getMetricsAsJSON();
      const merged: Registry = AggregatorRegistry.aggregate([own, ...reports] as object[]);
      return { contentType: merged.contentType, text: await merged.metrics() };
    },
    readiness: async () =>
      withServices(mergeReadiness((await pool.ask('readiness')) as Readiness[], pool.size), {
        services,
        ...draining,
      }),
    status: async () => ({ workers: pool.describe(), each: await pool.ask('status') }),
    invalidate: async (issuer, drop) => {
      forget(issuer);
      const reports = (await pool.ask('invalidate', { issuer, drop })) as (readonly object[] | undefined)[];
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

interface Member {
  readonly worker: Worker;
  readonly peer: IpcPeer;
  readonly startedMs: number;
}

class WorkerPool {
  private readonly members = new Map<number, Member>();
  private stopping = false;
  private deaths = 0;
  private pauseMs = FIRST_PAUSE_MS;

  constructor(
    private config: Config,
    private readonly options: PrimaryOptions & {
      readonly handlers: IpcHandlers;
      readonly states: readonly SharedStateSource[];
    },
  ) {
    for (const state of options.states) state.onChange((message) => this.tell(message));
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker-process.js', import.meta.url)), args: [] });
  }

  get size(): number {
    return this.options.workers;
  }

  /** @throws Error when a worker cannot open the port */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.size }, () => this.fork()));
  }

  /** Puts a configuration in force everywhere; a worker that cannot take it is replaced by one that starts with it. */
  async apply(config: Config): Promise<void> {
    this.config = config;
    await Promise.all(
      [...this.members.values()].map(async ({ worker, peer }) => {
        try {
          await peer.call('apply', { config });
        } catch (error) {
          this.options.log.error({ err: error, worker: worker.id }, 'worker did not take the configuration');
          worker.process.kill('SIGKILL');
        }
      }),
    );
  }

  /** Asks every worker; those that do not answer are left out. */
  async ask(method: string, params: object = {}): Promise<unknown[]> {
    const answers = await Promise.allSettled(
      [...this.members.values()].map(({ peer }) => peer.call(method, params)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** Resolves when every worker has taken the change in, or is known not to. */
  private async tell(message: StateMessage): Promise<void> {
    await this.ask('state', { message });
  }

  describe(): object {
    return { expected: this.size, running: this.members.size, deaths: this.deaths };
  }

  async stop(times: DrainTimes): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.members.values()].map((member) => this.end(member, times)));
  }

  private async end({ worker, peer }: Member, times: DrainTimes): Promise<void> {
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), times.delayMs + times.timeoutMs + 1000);
    // The answer may never come, because the worker ends; its exit is what counts.
    peer.call('drain', times).catch(() => undefined);
    await gone;
    clearTimeout(kill);
  }

  /** @returns when the worker serves. @throws Error when it ended before */
  private async fork(): Promise<void> {
    const worker = cluster.fork();
    const failed = new Promise<never>((_resolve, reject) => {
      worker.once('exit', () => reject(new Error('a worker ended while starting')));
    });
    // Whoever waits hears of it; a worker that dies later is nobody's unhandled rejection.
    failed.catch(() => undefined);
    worker.once('error', (error) => this.options.log.error({ err: error }, 'worker'));
    worker.once('exit', (code, signal) => this.onExit(worker, { code, signal }));
    const peer = await Promise.race([this.greet(worker), failed]);
    this.members.set(worker.id, { worker, peer, startedMs: Date.now() });
    try {
      const state = this.options.states.flatMap((source) => source.snapshot());
      await Promise.race([peer.call('start', { config: this.config, state }), failed]);
    } catch (error) {
      // One that lives and serves nothing would never be replaced.
      worker.process.kill('SIGKILL');
      throw error;
    }
  }

  /** What is sent before the worker listens is lost, so the worker speaks first. */
  private greet(worker: Worker): Promise<IpcPeer> {
    return new Promise((resolve) => {
      const peer: IpcPeer = createIpcPeer(
        {
          send: (message, failed) => worker.send(message, failed),
          onMessage: (listener) => worker.on('message', listener),
        },
        { ...this.options.handlers, hello: () => resolve(peer) },
        IPC_LIMITS,
      );
    });
  }

  private onExit(worker: Worker, how: { code: number | null; signal: string | null }): void {
    const member = this.members.get(worker.id);
    this.members.delete(worker.id);
    member?.peer.close();
    if (this.stopping) return;
    this.deaths++;
    const livedMs = member === undefined ? 0 : Date.now() - member.startedMs;
    if (livedMs > HEALTHY_AFTER_MS) this.pauseMs = FIRST_PAUSE_MS;
    this.options.log.error(
      { worker: worker.id, ...how, pauseMs: this.pauseMs },
      'worker died; another one starts',
    );
    setTimeout(() => this.replace(), this.pauseMs);
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs * 2);
  }

  private replace(): void {
    if (this.stopping) return;
    this.fork().catch((error: unknown) => {
      this.options.log.error({ err: error }, 'a worker did not start');
    });
  }
}
