import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisBusyError } from '../../src/stores/redis-busy-error.js';
import { createReplayRedis } from '../../src/stores/replay-redis.js';
import { openRedisConnection, type RedisConnection } from '../../src/stores/redis-connection.js';
import { ReplayFullError, ReplayUnavailableError, type ReplayStore } from '../../src/stores/replay-store.js';
import { systemClock, type Logger } from '../../src/ports.js';
import { createCertificate } from '../support/certificates.mjs';
import { spendableProof } from '../support/spendable-proof.js';
import { freePort } from '../support/free-port.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';

const WINDOW = { maxAgeMs: 60_000, clockToleranceMs: 10_000 };
const LIFE_MS = 70_000;
const opened: RedisConnection[] = [];
const lines: string[] = [];

function recorder(level: string) {
  return (fields: object, message: string): void =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
}
const log: Logger = {
  debug: recorder('debug'),
  info: recorder('info'),
  warn: recorder('warn'),
  error: recorder('error'),
};

/** What another process sees and does takes its time; this asks until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Opened {
  readonly store: ReplayStore;
  readonly connection: RedisConnection;
}

/** Time-outs are long unless the test is about them: the machine may be busy. */
function open(url: string, over: Partial<Parameters<typeof openRedisConnection>[0]> = {}): Opened {
  const connection = openRedisConnection({ url, clock: systemClock, log, commandTimeoutMs: 5000, ...over });
  opened.push(connection);
  return { connection, store: createReplayRedis({ connection, clock: systemClock, window: () => WINDOW }) };
}

async function openReady(...args: Parameters<typeof open>): Promise<Opened> {
  const one = open(...args);
  await until(() => one.store.isAvailable());
  return one;
}

const inAMinute = (): number => Date.now() + LIFE_MS;
const spendAll = (stores: ReplayStore[], key: string) =>
  Promise.all(stores.map((store) => Promise.resolve(store.spend(spendableProof(key, inAMinute())))));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
  lines.length = 0;
});
afterAll(() => stopAll());

const hasRedis = findRedis() !== undefined;
if (!hasRedis) process.stderr.write(`SKIPPED: test/stores/replay-redis.test.ts: ${REDIS_ADVICE}\n`);
const describeWithRedis = hasRedis ? describe : describe.skip;

describeWithRedis('createReplayRedis()', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let raw: Redis;

  beforeAll(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url);
  });
  afterAll(() => raw.disconnect());

  test('spends a proof once, for all replicas', async () => {
    const [one, other] = [await openReady(redis.url), await openReady(redis.url)];
    expect(await one.store.spend(spendableProof('shared', inAMinute()))).toBe(true);
    expect(await other.store.spend(spendableProof('shared', inAMinute()))).toBe(false);
    expect(await other.store.spend(spendableProof('another', inAMinute()))).toBe(true);
  });

  test('lets exactly one of fifty copies pass', async () => {
    const [one, other] = [await openReady(redis.url), await openReady(redis.url)];
    const stores = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? one.store : other.store));
    const answers = await spendAll(stores, 'fifty');
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  // Was what the spender's clock left of it, and a second: another replica, whose clock is behind, accepted it again.
  test.each([
    ['of this moment', 0],
    ['that is near its end by the clock of its spender', -55_000],
  ])('remembers a proof %s for the whole window, and a second more [security 6]', async (name, byMs) => {
    const { store } = await openReady(redis.url);
    await store.spend(spendableProof(name, inAMinute() + byMs));
    const leftMs = await raw.pttl(`portcullis:dpop:${name}`);
    expect(leftMs).toBeGreaterThan(60_000 + 2 * 10_000 - 5000);
    expect(leftMs).toBeLessThanOrEqual(60_000 + 2 * 10_000 + 1000);
  });

  test('remembers what lives longer than the window for as long', async () => {
    const { store } = await openReady(redis.url);
    await store.spend(spendableProof('long', inAMinute() + 3_600_000));
    expect(await raw.pttl('portcullis:dpop:long')).toBeGreaterThan(3_660_000);
  });

  test.each([
    ['allkeys-lru', 1],
    ['volatile-ttl', 1],
    ['noeviction', 0],
  ])('warns once of maxmemory-policy %s: %i [security 6]', async (policy, count) => {
    const server = await startRedis({ args: ['--maxmemory-policy', policy] });
    const warnings = (): string[] => lines.filter((line) => line.includes('maxmemory-policy'));
    const { store, connection } = await openReady(server.url);
    await store.spend(spendableProof('a', inAMinute()));
    await until(() => warnings().length === count);
    const second = new Redis(server.url);
    await second.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => lines.some((line) => line.includes('available again')));
    await connection.setIfAbsent('b', 1000);
    expect(warnings()).toHaveLength(count);
    second.disconnect();
    await server.stop();
  });

  test('says nothing where the server does not permit the question [security 6]', async () => {
    const server = await startRedis({
      args: ['--maxmemory-policy', 'allkeys-lru', '--rename-command', 'CONFIG', ''],
    });
    const { store } = await openReady(server.url);
    expect(await store.spend(spendableProof('a', inAMinute()))).toBe(true);
    expect(lines).toEqual([]);
    await server.stop();
  });

  test('takes nothing that is past its time', async () => {
    const { store } = await openReady(redis.url);
    expect(await store.spend(spendableProof('late', Date.now() - 10))).toBe(false);
    expect(await raw.exists('portcullis:dpop:late')).toBe(0);
  });

  test('sends one command per proof, and many of them at once', async () => {
    const { store } = await openReady(redis.url);
    await raw.config('RESETSTAT');
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        Promise.resolve(store.spend(spendableProof(`burst ${i}`, inAMinute()))),
      ),
    );
    const stats = await raw.info('commandstats');
    expect(stats).toMatch(/cmdstat_set:calls=100,/);
    expect(stats).not.toMatch(/cmdstat_(get|exists|eval|setnx|expire)/);
  });

  test('authenticates, and never tells its password', async () => {
    const guarded = await startRedis({ args: ['--requirepass', 'hunter2-hunter2'] });
    const { store } = await openReady(guarded.url.replace('//', '//:hunter2-hunter2@'));
    expect(await store.spend(spendableProof('a', inAMinute()))).toBe(true);
    const stranger = open(guarded.url.replace('//', '//:wrong-hunter3@'));
    await until(() => lines.length > 0);
    await expect(stranger.store.spend(spendableProof('a', inAMinute()))).rejects.toThrow(
      ReplayUnavailableError,
    );
    expect(stranger.store.isAvailable()).toBe(false);
    expect(lines.join()).not.toMatch(/hunter/);
    await guarded.stop();
  });

  test('speaks TLS, and only with a server that it can trust', async () => {
    const authority = createCertificate('authority');
    const server = createCertificate('localhost', authority);
    const files = { cert: scratchFile('tls.crt'), key: scratchFile('tls.key') };
    writeFileSync(files.cert, server.certificate);
    writeFileSync(files.key, server.privateKey);
    const tlsPort = await freePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', files.cert, '--tls-key-file', files.key];
    const secure = await startRedis({
      args: [...tls, '--tls-auth-clients', 'no', '--tls-ca-cert-file', files.cert],
    });
    const url = `rediss://localhost:${tlsPort}`;
    const { store } = await openReady(url, { tlsCa: authority.certificate });
    expect(await store.spend(spendableProof('a', inAMinute()))).toBe(true);
    lines.length = 0;
    const distrustful = open(url);
    await until(() => lines.length > 0);
    expect(distrustful.store.isAvailable()).toBe(false);
    await secure.stop();
  });

  test('is refused by a server that is full', async () => {
    const small = await startRedis({ args: ['--maxmemory', '100kb', '--maxmemory-policy', 'noeviction'] });
    const { store } = await openReady(small.url);
    await expect(store.spend(spendableProof('a', inAMinute()))).rejects.toThrow(ReplayUnavailableError);
    expect(store.isAvailable()).toBe(false);
    await small.stop();
  });
});

describeWithRedis('openRedisConnection()', () => {
  test('fails at once while the server is gone, and is there again with it', async () => {
    const first = await startRedis();
    const { store } = await openReady(first.url);
    await store.spend(spendableProof('before', inAMinute()));
    await first.stop('SIGKILL');
    await until(() => !store.isAvailable());
    await expect(store.spend(spendableProof('during', inAMinute()))).rejects.toThrow(ReplayUnavailableError);
    const second = await startRedis({ port: first.port });
    await until(() => store.isAvailable());
    expect(await store.spend(spendableProof('after', inAMinute()))).toBe(true);
    expect(await store.spend(spendableProof('after', inAMinute()))).toBe(false);
    // What failed was not kept to be sent later.
    expect(await store.spend(spendableProof('during', inAMinute()))).toBe(true);
    expect(lines.filter((line) => line.includes('not available'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('available again'))).toHaveLength(1);
    await second.stop();
  });

  test('gives up on a server that hangs, and finds it again', async () => {
    const hung = await startRedis();
    const { store } = await openReady(hung.url, { commandTimeoutMs: 200 });
    process.kill(hung.pid, 'SIGSTOP');
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) =>
        Promise.resolve(store.spend(spendableProof(`hung ${i}`, inAMinute()))),
      ),
    );
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    expect(store.isAvailable()).toBe(false);
    await until(() => lines.some((line) => line.includes('not available')));
    process.kill(hung.pid, 'SIGCONT');
    await until(async () => {
      try {
        return await store.spend(spendableProof(`again ${Date.now()}`, inAMinute()));
      } catch {
        return false;
      }
    });
    expect(store.isAvailable()).toBe(true);
    await hung.stop();
  });

  test('does not blame the server for a process that was busy itself', async () => {
    const redis = await startRedis();
    const { store } = await openReady(redis.url, { commandTimeoutMs: 400 });
    const answer = Promise.resolve(store.spend(spendableProof('busy', inAMinute())));
    const busyUntilMs = Date.now() + 800;
    while (Date.now() < busyUntilMs);
    expect(await answer).toBe(true);
    await redis.stop();
  });

  test('bounds the commands that wait', async () => {
    const hung = await startRedis();
    const { connection } = await openReady(hung.url, { commandTimeoutMs: 200, maxPending: 10 });
    process.kill(hung.pid, 'SIGSTOP');
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => connection.setIfAbsent(`k${i}`, 1000)),
    );
    const reasons = answers.map((answer) => String((answer as PromiseRejectedResult).reason));
    expect(reasons.filter((reason) => reason.includes('too many'))).toHaveLength(10);
    process.kill(hung.pid, 'SIGCONT');
    await hung.stop();
  });

  test('spend() calls a full queue what it is, and no outage: clients can fill it', async () => {
    const connection = {
      setIfAbsent: () => Promise.reject(new RedisBusyError('too many')),
      get: () => Promise.resolve(undefined),
      set: () => Promise.resolve(),
      command: () => Promise.reject(new Error('not asked for here')),
      isAvailable: () => true,
      close: () => Promise.resolve(),
    };
    const store = createReplayRedis({ connection, clock: systemClock, window: () => WINDOW });
    await expect(store.spend(spendableProof('a', inAMinute()))).rejects.toThrow(ReplayFullError);
  });

  test('opens without a server, and closes', async () => {
    const { store, connection } = open(`redis://127.0.0.1:${await freePort()}`);
    expect(store.isAvailable()).toBe(false);
    await expect(store.spend(spendableProof('a', inAMinute()))).rejects.toThrow(ReplayUnavailableError);
    await connection.close();
    await connection.close();
  });

  test('refuses an invalid URL', () => {
    expect(() => open('redis://user:hunter2@a b')).toThrow(/^(?!.*hunter2)not a Redis URL/);
  });
});

describeWithRedis('openRedisConnection() to a cluster', () => {
  const slots = [
    [0, 8000],
    [8001, 16_383],
  ] as const;

  async function startCluster() {
    const nodes = await Promise.all(
      slots.map(async () => {
        // The port of the cluster bus is the other one plus 10,000, or what is said here.
        const bus = await freePort();
        const config = scratchFile('nodes.conf');
        return startRedis({
          args: ['--cluster-enabled', 'yes', '--cluster-config-file', config, '--cluster-port', String(bus)],
        });
      }),
    );
    const clients = nodes.map(({ url }) => new Redis(url));
    await Promise.all(clients.map((client, i) => client.call('CLUSTER', 'ADDSLOTSRANGE', ...slots[i]!)));
    const bus = /:\d+@(\d+)/.exec(String(await clients[1]!.call('CLUSTER', 'NODES')))?.[1];
    await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[1]!.port), String(bus));
    const isWhole = (info: unknown): boolean => String(info).includes('cluster_state:ok');
    const infos = () => Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
    await until(async () => (await infos()).every(isWhole));
    clients.forEach((client) => client.disconnect());
    return nodes;
  }

  test('spends once on whichever node a proof belongs to, and fails with it', async () => {
    const nodes = await startCluster();
    const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    const [one, other] = [await openReady(url), await openReady(url, { commandTimeoutMs: 300 })];
    for (let i = 0; i < 20; i++) {
      const answers = await spendAll([one.store, other.store, one.store], `cluster ${i}`);
      expect(answers.filter(Boolean)).toHaveLength(1);
    }
    for (const node of nodes) await node.stop('SIGKILL');
    await expect(other.store.spend(spendableProof('cluster gone', inAMinute()))).rejects.toThrow(
      ReplayUnavailableError,
    );
    await until(() => !other.store.isAvailable());
  });
});
