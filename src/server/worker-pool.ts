/** The workers of a primary: started, kept in step, replaced when they die, with a growing pause when they keep dying. */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.js';
import type { RunningLog } from '../observability/log.js';
import type { SharedStateSource } from '../runtime/shared-state.js';
import { createIpcPeer, RemoteError, type IpcHandlers, type IpcPeer } from './ipc.js';
import type { DrainTimes } from './service.js';
import type { PrimaryCalls, WorkerCalls } from './worker-contract.js';

/** What a pool is made of. */
export interface WorkerPoolOptions {
  /** How many processes. */
  readonly workers: number;
  readonly log: RunningLog;
  /** What every worker must know, from its first Check on. */
  readonly states: readonly SharedStateSource[];
  /** What is done for workers. */
  readonly handlers: Omit<IpcHandlers<PrimaryCalls>, 'hello'>;
}

type WorkerPeer = IpcPeer<WorkerCalls>;

const IPC_LIMITS = { timeoutMs: 10_000, maxOpen: 10_000 };
/** A worker that lived this long is taken as healthy, milliseconds. */
const HEALTHY_AFTER_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Beyond its times a draining worker is killed. */
const DRAIN_MARGIN_MS = 1000;

interface Member {
  readonly worker: Worker;
  readonly peer: WorkerPeer;
  readonly startedMs: number;
}

/** Workers that run the same configuration and know the same shared state. */
export class WorkerPool {
  private readonly members = new Map<number, Member>();
  private stopping = false;
  private deaths = 0;
  private pauseMs = FIRST_PAUSE_MS;

  /** @param config what new workers start with, until another is applied */
  constructor(
    private config: Config,
    private readonly options: WorkerPoolOptions,
  ) {
    for (const state of options.states) {
      state.onChange(async (message) => {
        await this.ask('state', { message });
      });
    }
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker-process.js', import.meta.url)), args: [] });
  }

  get size(): number {
    return this.options.workers;
  }

  /** @throws Error when a worker cannot open the port */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.size }, () => this.fork()));
  }

  /**
   * Puts a configuration in force everywhere. The first worker tries it out; one that cannot take it after that is
   * replaced by one that starts with it.
   *
   * @throws Error when the configuration cannot be put in force; the old one stays in all workers
   */
  async apply(config: Config): Promise<void> {
    const [first, ...others] = this.members.values();
    if (first !== undefined) await this.tryOut(first, config);
    this.config = config;
    await Promise.all(
      others.map((member) =>
        member.peer.call('apply', { config }).catch((error: unknown) => this.giveUp(member, error)),
      ),
    );
  }

  /** A worker that does not answer says nothing about the configuration. */
  private async tryOut(member: Member, config: Config): Promise<void> {
    try {
      await member.peer.call('apply', { config });
    } catch (error) {
      if (error instanceof RemoteError) throw error;
      this.giveUp(member, error);
    }
  }

  private giveUp({ worker }: Member, error: unknown): void {
    this.options.log.error({ err: error, worker: worker.id }, 'worker did not take the configuration');
    worker.process.kill('SIGKILL');
  }

  /** Asks every worker; those that do not answer are left out. */
  async ask<M extends keyof WorkerCalls>(
    method: M,
    params: WorkerCalls[M]['params'],
  ): Promise<WorkerCalls[M]['result'][]> {
    const answers = await Promise.allSettled(
      [...this.members.values()].map(({ peer }) => peer.call(method, params)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** For `/status`. */
  describe(): object {
    return { expected: this.size, running: this.members.size, deaths: this.deaths };
  }

  /** Ends all workers; resolves when they are gone. */
  async stop(times: DrainTimes): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.members.values()].map((member) => this.end(member, times)));
  }

  private async end({ worker, peer }: Member, times: DrainTimes): Promise<void> {
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const limitMs = times.delayMs + times.timeoutMs + DRAIN_MARGIN_MS;
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), limitMs);
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
    // The caller that waits gets the error; a worker that dies later must not cause an unhandled rejection.
    failed.catch(() => undefined);
    worker.once('error', (error) => this.options.log.error({ err: error }, 'worker'));
    worker.once('exit', (code, signal) => this.onExit(worker, { code, signal }));
    const peer = await Promise.race([this.greet(worker), failed]);
    this.members.set(worker.id, { worker, peer, startedMs: Date.now() });
    try {
      // From here on changes reach the worker too, behind this snapshot.
      const state = this.options.states.flatMap((source) => source.snapshot());
      const started = peer.call('start', { config: this.config, state, logLevel: this.options.log.level });
      await Promise.race([started, failed]);
    } catch (error) {
      // One that lives and serves nothing would never be replaced.
      worker.process.kill('SIGKILL');
      throw error;
    }
  }

  /** What is sent before the worker listens is lost, so the worker speaks first. */
  private greet(worker: Worker): Promise<WorkerPeer> {
    return new Promise((resolve) => {
      const peer: WorkerPeer = createIpcPeer<PrimaryCalls, WorkerCalls>(
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
