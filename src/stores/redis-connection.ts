import { Cluster, Redis, type ClusterOptions } from 'ioredis';
import type { Clock, Logger } from '../ports.js';
import { RedisBusyError } from './redis-busy-error.js';
import { RedisDisconnectedError } from './redis-disconnected-error.js';
import { warnOfEviction } from './redis-eviction.js';
import { parseRedisUrl, type RedisAddress } from './redis-url.js';

/** How Redis or Valkey is reached. */
export interface RedisConnectionOptions {
  /** redis://, rediss://, redis+cluster:// or rediss+cluster://, with a password or without. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * How long a command may take, milliseconds. Envoy waits for a Check 200 ms unless told otherwise, and `allow` must
   * still be said within that.
   */
  readonly commandTimeoutMs?: number;
  /** Commands without an answer at most; more are refused at once. */
  readonly maxPending?: number;
  /** PEM of the authority that signed the server's certificate; default: those that Node trusts. */
  readonly tlsCa?: string;
}

/** The few commands that are used here. All fail fast: nothing is queued while there is no connection. */
export interface RedisConnection {
  /**
   * `SET key 1 NX PX ttlMs`: one atomic question.
   *
   * @returns false where the key was there already
   * @throws Error when there is no answer, or none in time; its message holds no secret and no key
   */
  setIfAbsent(key: string, ttlMs: number): Promise<boolean>;
  /**
   * `GET key`.
   *
   * @returns undefined where there is no such key
   * @throws Error when there is no answer, or none in time; its message holds no secret and no key
   */
  get(key: string): Promise<string | undefined>;
  /**
   * `SET key value PX ttlMs`.
   *
   * @throws Error when there is no answer, or none in time; its message holds no secret, no key and no value
   */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /**
   * Any other command.
   *
   * @param args the keys among them in one slot of a cluster
   * @returns the reply as the protocol has it: text, numbers, lists, null
   * @throws Error when there is no answer, or none in time; its message holds none of the arguments
   */
  command(name: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Connected, and not failing at present. */
  isAvailable(): boolean;
  close(): Promise<void>;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 100;
const DEFAULT_MAX_PENDING = 10_000;
/** A server that says nothing for so many command time-outs is hung, and its connection is replaced. */
const HUNG_AFTER_TIMEOUTS = 5;
/** How long a failed command makes us unavailable where none succeeds after it: with no traffic nobody would notice. */
const FAILURE_MEMORY_MS = 5000;

/**
 * Opens a connection to Redis or Valkey, and keeps it open: with back-off, without end, and without ever queueing a
 * command that nobody waits for any more. Commands of the same turn of the event loop go out together.
 *
 * @throws TypeError where it is not a Redis URL; the message does not hold it
 */
export function openRedisConnection(options: RedisConnectionOptions): RedisConnection {
  return new Connection(options, createClient(parseRedisUrl(options.url), options));
}

class Connection implements RedisConnection {
  private readonly timeoutMs: number;
  private readonly maxPending: number;
  private pending = 0;
  private failedAtMs = -Infinity;
  private isDown = false;
  private isClosing = false;

  constructor(
    private readonly options: RedisConnectionOptions,
    private readonly client: Redis | Cluster,
  ) {
    this.timeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
    this.maxPending = options.maxPending ?? DEFAULT_MAX_PENDING;
    // Messages only: the error of a command carries its arguments, and a password may be one.
    client.on('error', (error: Error) => this.noteDown(error.message));
    client.on('close', () => this.noteDown('the connection was closed'));
    client.on('ready', () => this.noteUp());
    client.once('ready', () => void warnOfEviction(client, options.log));
  }

  async setIfAbsent(key: string, ttlMs: number): Promise<boolean> {
    return (await this.send(() => this.client.set(key, '1', 'PX', ttlMs, 'NX'))) === 'OK';
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.send(() => this.client.get(key))) ?? undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.send(() => this.client.set(key, value, 'PX', ttlMs));
  }

  command(name: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.send(() => this.client.call(name, ...args));
  }

  private async send<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isConnected()) throw new RedisDisconnectedError('redis is not connected');
    if (this.pending >= this.maxPending)
      throw new RedisBusyError('too many redis commands wait for an answer');
    this.pending++;
    const sent = command().finally(() => this.pending--);
    try {
      const reply = await withinTime(sent, this.timeoutMs);
      this.failedAtMs = -Infinity;
      return reply;
    } catch (error) {
      this.failedAtMs = this.options.clock.now();
      // The cause stays behind: the error of a command carries its arguments.
      // eslint-disable-next-line preserve-caught-error
      throw new Error(`redis failed: ${messageOf(error)}`);
    }
  }

  isAvailable(): boolean {
    return this.isConnected() && this.options.clock.now() - this.failedAtMs > FAILURE_MEMORY_MS;
  }

  private isConnected(): boolean {
    return this.client.status === 'ready' && !this.isClosing;
  }

  close(): Promise<void> {
    this.isClosing = true;
    this.client.disconnect();
    return Promise.resolve();
  }

  private noteDown(reason: string): void {
    if (this.isDown || this.isClosing) return;
    this.isDown = true;
    this.options.log.warn({ reason }, 'redis is not available');
  }

  private noteUp(): void {
    if (this.isDown) this.options.log.info({}, 'redis is available again');
    this.isDown = false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no reason given';
}

/** A time-out is waited out in so many pieces. */
const PATIENCE = 4;

/**
 * The command itself is left to its fate: the client forgets it with its connection. Timers come before sockets, so a
 * process that was busy would find the time up and never look for the answer that is there: in pieces, however
 * long it is busy takes no more than one of them.
 */
async function withinTime<T>(sent: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (pieces: number): void => {
      if (pieces === 0) reject(new Error(`no answer within ${timeoutMs} ms`));
      else timer = setTimeout(() => wait(pieces - 1), timeoutMs / PATIENCE);
    };
    wait(PATIENCE);
  });
  try {
    return await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

function createClient(address: RedisAddress, options: RedisConnectionOptions): Redis | Cluster {
  const shared = nodeOptions(address, options);
  if (address.kind === 'cluster') {
    return new Cluster(
      address.nodes.map((node) => ({ ...node })),
      { ...clusterOptions(address), redisOptions: shared },
    );
  }
  const [node] = address.nodes;
  return new Redis({
    ...shared,
    ...node,
    db: address.db,
    enableOfflineQueue: false,
    retryStrategy: backOff,
  });
}

/** Of each server, alone or in a cluster. */
type NodeOptions = Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;

function nodeOptions(address: RedisAddress, options: RedisConnectionOptions): NodeOptions {
  const timeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  return {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: options.tlsCa === undefined ? {} : { ca: options.tlsCa } } : {}),
    enableAutoPipelining: true,
    // A command that was under way when the connection broke has failed; sent again it would find its own key.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: timeoutMs * HUNG_AFTER_TIMEOUTS,
    connectTimeout: 5000,
    disconnectTimeout: 500,
    // After a failover the old primary refuses writes: ask where the new one is.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // HELLO and CLIENT are not for every server and every user.
    protocol: 2,
    disableClientInfo: true,
  };
}

function clusterOptions(address: RedisAddress): ClusterOptions {
  return {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backOff,
    // A slot that moved is asked for once more; anything longer would outlast the Check.
    maxRedirections: 3,
    retryDelayOnFailover: 20,
    retryDelayOnClusterDown: 20,
    retryDelayOnTryAgain: 20,
    // The certificate names the host that was asked for, not the address it resolved to.
    ...(address.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
  };
}

function backOff(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2000);
}
