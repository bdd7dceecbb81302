import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { everyInterval } from '../../src/guard/overload.js';
import { createRedisRevocationStore } from '../../src/revocation/redis-store.js';
import { RevocationService } from '../../src/revocation/revocation-service.js';
import { silentLogger, systemClock } from '../../src/ports.js';
import { openRedisConnection } from '../../src/stores/redis-connection.js';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';
import { stopAll } from '../support/processes.mjs';
import { until } from '../support/until.js';
import { createRevocationFactory } from '../../src/revocation/revocation-factory.js';
import { ISSUER, mintToken } from '../support/tokens.js';
import { revocation } from './revocations.js';

const hasRedis = findRedis() !== undefined;
if (!hasRedis) process.stderr.write(`SKIPPED: test/revocation/redis-store.test.ts: ${REDIS_ADVICE}\n`);
const describeWithRedis = hasRedis ? describe : describe.skip;

const closers: (() => Promise<void>)[] = [];
let redis: Awaited<ReturnType<typeof startRedis>>;

/** The revocations of one replica. */
async function replica(url = redis.url): Promise<RevocationService> {
  const connection = openRedisConnection({
    url,
    clock: systemClock,
    log: silentLogger,
    commandTimeoutMs: 5000,
  });
  const service = new RevocationService({
    store: createRedisRevocationStore({ connection, clock: systemClock, every: everyInterval }),
    clock: systemClock,
    every: everyInterval,
    logger: silentLogger,
    maxEntries: () => 10_000,
    metrics: { revoked: () => undefined },
  });
  await service.open();
  closers.push(async () => {
    await service.close();
    await connection.close();
  });
  return service;
}

const inAnHourS = () => Math.floor(Date.now() / 1000) + 3600;
const entry = (value: string, over = {}) =>
  revocation({ kind: 'jti', value }, { heldUntilS: inAnHourS(), createdAtMs: Date.now(), ...over });
const values = (service: RevocationService): string[] =>
  service.page({ limit: 5000, after: undefined }).map(({ value }) => value);

describeWithRedis('createRedisRevocationStore()', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const close of closers) await close();
    await stopAll();
  });

  test('another replica learns what is revoked and what is taken back, and a new one knows all', async () => {
    const [a, b] = [await replica(), await replica()];
    const one = await a.revoke(entry('one', { reason: 'why' }));
    const two = await b.revoke(entry('two'));
    await until(() => values(a).length === 2 && values(b).length === 2);
    expect(b.list.index.get(one.id)).toEqual(one);
    await a.withdraw(two.id);
    await until(() => values(b).join() === 'one');
    expect(values(await replica())).toEqual(['one']);
    expect(a.list.staleForMs(Date.now())).toBe(0);
  });

  test('two that revoke the same at once hold the same', async () => {
    const [a, b] = [await replica(), await replica()];
    const sub = (beforeS: number, heldUntilS: number) =>
      revocation({ kind: 'sub', value: 'u' }, { beforeS, heldUntilS, createdAtMs: Date.now() });
    const end = inAnHourS();
    await Promise.all([a.revoke(sub(5, end)), b.revoke(sub(9, end - 10))]);
    const held = (service: RevocationService) =>
      service.list.index.find({ kind: 'sub', issuer: sub(0, 0).issuer, value: 'u' });
    await until(() => held(a)?.beforeS === 9 && held(b)?.beforeS === 9);
    await until(() => held(a)?.heldUntilS === end && held(b)?.heldUntilS === end);
    await until(() => held(a)?.id === held(b)?.id);
  });

  test('takes over more than one part', async () => {
    const [a, b] = [await replica(), await replica()];
    await Promise.all(Array.from({ length: 2500 }, (_, i) => a.revoke(entry(`many-${i}`))));
    await until(() => values(b).filter((value) => value.startsWith('many')).length === 2500);
  });

  test('holds no text of a token', async () => {
    const token = mintToken({ claims: { jti: 'the-jti' } });
    const factory = createRevocationFactory({
      issuers: () => new Map([[ISSUER, { maxLifetimeMs: 1000, clockToleranceMs: 0 }]]),
      clock: systemClock,
      random: () => 'r',
    });
    const one = await replica();
    for (const text of [token, 'opaque-secret']) await one.revoke(factory.ofToken(text, { source: 'admin' }));
    const client = new Redis(redis.url);
    const all = JSON.stringify(await client.hgetall('portcullis:{revocations}:entries'));
    client.disconnect();
    expect(all.includes('the-jti')).toBe(true);
    for (const part of [...token.split('.'), 'opaque-secret']) expect(all.includes(part)).toBe(false);
  });

  test('what is known counts while Redis is away, and Redis gets it back when it lost it', async () => {
    const [a, b] = [await replica(), await replica()];
    await a.revoke(entry('kept'));
    await until(() => values(b).includes('kept'));
    await redis.stop('SIGKILL');
    await until(() => a.list.staleSinceMs !== undefined && b.list.staleSinceMs !== undefined);
    expect([a.isAvailable(), values(b).includes('kept')]).toEqual([false, true]);
    await expect(a.revoke(entry('never'))).rejects.toThrow(/revocation store/);
    redis = await startRedis({ port: redis.port });
    await until(() => a.list.staleSinceMs === undefined && b.list.staleSinceMs === undefined);
    await until(async () => values(await replica()).includes('kept'));
    await b.revoke(entry('later'));
    await until(() => values(a).includes('later'));
  });

  test('opens without Redis, and is not in step', async () => {
    const alone = await replica('redis://127.0.0.1:1');
    expect(alone.list.staleForMs(Date.now())).toBe(Infinity);
  });
});
