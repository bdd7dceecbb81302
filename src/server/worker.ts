/**
 * A worker: started and ended by the primary, which sends the configuration and what is shared. It reads no file and
 * asks no issuer; key sets and, with a store in memory, answers about spent proofs come from the primary.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { restoreConfig } from '../config/restore.js';
import type { GrpcServer } from '../fronts/envoy/grpc.js';
import { openAuditLog, type AuditLog } from '../observability/audit/audit-log.js';
import { logOptionsOf } from '../observability/audit/shared-output.js';
import { applyLogConfig, createLog, type RunningLog } from '../observability/log.js';
import { systemClock } from '../ports.js';
import { createRuntime } from '../runtime/runtime.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import type { StateMessage } from '../runtime/shared-state.js';
import { grpcTlsOf } from './grpc-options.js';
import { boundHeapGrowth } from './heap-growth.js';
import { createIpcPeer, type IpcPeer } from './ipc.js';
import { setLogLevel } from './log-level.js';
import {
  createPrimaryPersonalTokens,
  createPrimaryFetcher,
  createPrimaryIntrospection,
  createPrimaryReplay,
} from './primary-services.js';
import type { ProxyPort } from './http-port.js';
import { openHttpFront } from './proxy-port.js';
import type { DrainTimes } from './service.js';
import { openTransport } from './transport.js';
import type { PrimaryCalls, StartParams, WorkerCalls } from './worker-contract.js';

/** Longer than any dependency's own time-out, so that the better error wins. */
const LIMITS = { timeoutMs: 15_000, maxOpen: 10_000 };

/** Begins to listen to the primary, and says so. */
export function runWorker(): void {
  const worker = new WorkerState();
  const primary: IpcPeer<PrimaryCalls> = createIpcPeer<WorkerCalls, PrimaryCalls>(
    {
      send: (message, failed) => process.send?.(message, failed),
      onMessage: (listener) => process.on('message', listener),
    },
    {
      start: (params) => worker.start(params, primary),
      state: ({ message }) => worker.receive(message),
      apply: ({ config }) => worker.serving.apply(restoreConfig(config)),
      metrics: () => worker.serving.runtime.metrics.registry.getMetricsAsJSON(),
      readiness: () => worker.serving.runtime.readiness(),
      status: () => ({ pid: process.pid, ...worker.serving.runtime.status() }),
      keyStatus: () => worker.serving.runtime.keys.status(),
      denials: ({ limit }) => worker.serving.runtime.denials?.latest(limit) ?? [],
      invalidate: ({ issuer, drop }) => worker.serving.runtime.invalidate(issuer, drop),
      setLogLevel: ({ level }) => setLogLevel(worker.serving.log, level),
      reopenAudit: () => worker.serving.audit?.reopen(),
      drain: (times) => void worker.drain(times),
    },
    LIMITS,
  );
  void primary.call('hello', {});
}

/** A worker before and after its start. */
class WorkerState {
  #serving: Serving | undefined;
  /** Where shared state goes: as soon as there is a runtime, and so before the first Check. */
  #receive: ((message: StateMessage) => void) | undefined;
  /** Changes that come before that wait behind the snapshot. */
  readonly #early: StateMessage[] = [];

  /** @throws Error before the start */
  get serving(): Serving {
    if (this.#serving === undefined) throw new Error('not started');
    return this.#serving;
  }

  async start(params: StartParams, primary: IpcPeer<PrimaryCalls>): Promise<void> {
    this.#early.push(...params.state);
    const serving = await openServing(params, primary);
    this.#receive = (message) => serving.runtime.state.receive(message);
    for (const message of this.#early.splice(0)) this.#receive(message);
    await serving.open();
    this.#serving = serving;
  }

  receive(message: StateMessage): void {
    if (this.#receive === undefined) this.#early.push(message);
    else this.#receive(message);
  }

  async drain(times: DrainTimes): Promise<void> {
    if (this.#serving === undefined) process.exit(0);
    await this.#serving.drain(times);
    this.#serving.log.flush(() => process.exit(0));
  }
}

async function openServing(
  { config: sent, logLevel }: StartParams,
  primary: IpcPeer<PrimaryCalls>,
): Promise<Serving> {
  boundHeapGrowth();
  const config = restoreConfig(sent);
  const log = createLog(logOptionsOf(config));
  setLogLevel(log, logLevel);
  const audit = openAuditLog(config.audit, { clock: systemClock, log });
  const runtime = await createRuntime(config, {
    log,
    audit,
    askPersonalToken: createPrimaryPersonalTokens(primary),
    borrowed: {
      fetcher: createPrimaryFetcher(primary),
      replay: config.replay.store === 'memory' ? createPrimaryReplay(primary) : undefined,
      introspect: createPrimaryIntrospection(primary),
    },
  });
  return new Serving(config, { runtime, log, audit });
}

/** A worker that answers Checks. */
class Serving {
  #grpc: GrpcServer | undefined;
  #http: ProxyPort | undefined;

  readonly runtime: Runtime;
  readonly log: RunningLog;
  /** undefined: none is configured. */
  readonly audit: AuditLog | undefined;

  constructor(
    private config: Config,
    { runtime, log, audit }: Pick<Serving, 'runtime' | 'log' | 'audit'>,
  ) {
    this.runtime = runtime;
    this.log = log;
    this.audit = audit;
  }

  /** @throws Error when a port cannot be opened */
  async open(): Promise<void> {
    const { runtime, log } = this;
    this.#grpc = await openTransport(this.config, { runtime, log, shared: true });
    this.#http = await openHttpFront(this.runtime.guard, () => this.config);
  }

  async apply(config: Config): Promise<void> {
    await this.runtime.apply(config);
    this.#grpc?.replaceTls(grpcTlsOf(config));
    this.#http?.replaceTls(config.server.http?.tls);
    applyLogConfig(this.log, { before: this.config.log, after: config.log });
    this.config = config;
  }

  async drain({ delayMs, timeoutMs }: DrainTimes): Promise<void> {
    this.#grpc?.announceDrain();
    this.#http?.announceDrain();
    await pause(delayMs);
    await Promise.all([this.#grpc?.drain(timeoutMs), this.#http?.drain(timeoutMs)]);
    await this.runtime.close();
    await this.audit?.close();
  }
}
