import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient, type HttpClient } from '../../src/http/bounded-client.js';
import type { IssuerKeysConfig } from '../../src/jwks/key-source.js';
import { createNetworkFetcher } from '../../src/jwks/network-fetcher.js';
import { createKeySetRegistry, type KeySetRegistry, type RegistrySettings } from '../../src/jwks/registry.js';
import { createSnapshotStore } from '../../src/jwks/snapshot-store.js';
import type { IssuerKeys } from '../../src/jwks/types.js';
import { silentLogger } from '../../src/ports.js';
import { FakeIssuer, Gate } from '../support/fake-issuer.js';
import { FakeTime } from '../support/fake-time.js';
import { publicJwk } from '../support/public-jwk.js';

const settings: RegistrySettings = {
  minTtlMs: 60_000,
  maxTtlMs: 3_600_000,
  cooldownMs: 30_000,
  staleIfErrorMs: 86_400_000,
  timeoutMs: 10_000,
  maxBytes: 1_048_576,
  allowHttp: false,
  maxIssuers: 1000,
};
const k1 = publicJwk({ kid: 'k1' });
const k2 = publicJwk({ kid: 'k2' });
let http: HttpClient;
let a: FakeIssuer;
let b: FakeIssuer;
let dir: string;
let time: FakeTime;
let registry: KeySetRegistry;

beforeAll(() => {
  http = createHttpClient(settings);
});
afterAll(() => http.close());
beforeEach(async () => {
  [a, b] = await Promise.all([FakeIssuer.start(), FakeIssuer.start()]);
  a.keys = [k1];
  b.keys = [k2];
  dir = mkdtempSync(join(tmpdir(), 'registry-'));
  time = new FakeTime();
  registry = create();
});
afterEach(async () => {
  await registry.close();
  await Promise.all([a.stop(), b.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const create = (over: Partial<RegistrySettings> = {}): KeySetRegistry =>
  createKeySetRegistry({
    fetcher: createNetworkFetcher(http, { clock: time }),
    clock: time,
    scheduler: time,
    random: () => 0.5,
    logger: silentLogger,
    metrics: { fetched: () => undefined },
    snapshots: createSnapshotStore(dir, { logger: silentLogger }),
    settings: { ...settings, ...over },
  });
const discovered = ({ issuer }: FakeIssuer): IssuerKeysConfig => ({ issuer, source: { kind: 'discovery' } });
const kids = async (keys: IssuerKeys, kid: string | undefined): Promise<unknown> =>
  (await keys.find(kid, 'ES256', {})).map((key) => key.kid);

describe('KeySetRegistry.forIssuer()', () => {
  test('keeps the same kid at two issuers apart', async () => {
    const twin = publicJwk({ kid: 'k1' });
    b.keys = [twin];
    const [ofA, ofB] = [registry.forIssuer(discovered(a)), registry.forIssuer(discovered(b))];
    await registry.start();
    const x = (await ofA.find('k1', 'ES256', {}))[0]?.keyObject.export({ format: 'jwk' }).x;
    const y = (await ofB.find('k1', 'ES256', {}))[0]?.keyObject.export({ format: 'jwk' }).x;
    expect([x, y]).toEqual([k1.x, twin.x]);
  });

  test('hands out the very same keys for an unchanged entry', async () => {
    const first = registry.forIssuer(discovered(a));
    await registry.start();
    expect(registry.forIssuer(discovered(a))).toBe(first);
    expect(a.hits.jwks).toBe(1);
  });

  test('hands out new keys for a changed source, and the old ones go on until retain', async () => {
    const former = registry.forIssuer(discovered(a));
    await registry.start();
    const next = registry.forIssuer({ issuer: a.issuer, source: { kind: 'jwksUri', jwksUri: b.jwksUri } });
    expect(await kids(next, 'k2')).toEqual(['k2']);
    expect(await kids(former, 'k1')).toEqual(['k1']);
    expect(next.generation).not.toBe(former.generation);
    registry.retain([next]);
    expect(await kids(former, 'k1')).toEqual(['k1']);
    expect(registry.status()).toHaveLength(1);
    await registry.invalidate(a.issuer);
    expect(a.hits.jwks).toBe(1);
  });

  test('begins with issuers that come after the start', async () => {
    await registry.start();
    const keys = registry.forIssuer(discovered(a));
    expect(await kids(keys, 'k1')).toEqual(['k1']);
    expect(a.hits.jwks).toBe(1);
  });

  test('keeps static keys while they are the same, and numbers other ones again', () => {
    const of = (...keys: object[]): IssuerKeys =>
      registry.forIssuer({ issuer: 'https://s.example', source: { kind: 'jwks', jwks: { keys } } });
    const first = of(k1);
    expect(of(k1)).toBe(first);
    expect(of(k2)).not.toBe(first);
    expect(of(k2).generation).not.toBe(first.generation);
    registry.retain([first]);
    expect(registry.status()).toHaveLength(1);
  });

  test('refuses static keys that cannot be used', () => {
    expect(() =>
      registry.forIssuer({
        issuer: 'https://s.example',
        source: { kind: 'keys', keys: [{ alg: 'HS256', secret: 'x' }] },
      }),
    ).toThrow(expect.objectContaining({ name: 'KeySourceError' }));
  });
});

describe('KeySetRegistry.start()', () => {
  test('fetches all issuers in parallel', async () => {
    registry.forIssuer(discovered(a));
    registry.forIssuer(discovered(b));
    const gate = new Gate();
    a.behaviour.jwks = gate.behaviour;
    b.behaviour.jwks = (req, res) => {
      gate.open();
      return req.url !== undefined && !res.destroyed;
    };
    await registry.start();
    expect(registry.lacking()).toEqual([]);
  });

  test('with a dead issuer says who lacks keys, and recovers by itself', async () => {
    await a.stop();
    const ofA = registry.forIssuer(discovered(a));
    registry.forIssuer(discovered(b));
    expect(registry.lacking()).toHaveLength(2);
    await registry.start();
    expect(registry.lacking()).toEqual([a.issuer]);
    await expect(Promise.resolve(ofA).then((keys) => keys.find('k1', 'ES256', {}))).rejects.toThrow(
      'no keys for issuer',
    );
    await a.start();
    await time.advance(1000);
    expect(await kids(ofA, 'k1')).toEqual(['k1']);
    expect(registry.lacking()).toEqual([]);
  });
});

describe('KeySetRegistry.invalidate()', () => {
  test('refetches one issuer, or all', async () => {
    const keys = registry.forIssuer(discovered(a));
    registry.forIssuer(discovered(b));
    registry.forIssuer({ issuer: 'https://s.example', source: { kind: 'jwks', jwks: { keys: [k1] } } });
    await registry.start();
    a.keys = [k1, k2];
    expect(await registry.invalidate(a.issuer)).toEqual([
      { issuer: a.issuer, ok: true, error: undefined, keyCount: 2 },
    ]);
    expect(await kids(keys, 'k2')).toEqual(['k2']);
    expect(b.hits.jwks).toBe(1);
    expect((await registry.invalidate()).map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(b.hits.jwks).toBe(2);
    expect(await registry.invalidate('https://unknown.example')).toEqual([]);
  });

  test('keeps old keys while the issuer is down, and with drop does not', async () => {
    const keys = registry.forIssuer(discovered(a));
    await registry.start();
    await a.stop();
    expect(await registry.invalidate()).toEqual([
      { issuer: a.issuer, ok: false, error: 'connection', keyCount: 1 },
    ]);
    expect(await kids(keys, 'k1')).toEqual(['k1']);
    expect(await registry.invalidate(a.issuer, { drop: true })).toEqual([
      { issuer: a.issuer, ok: false, error: 'connection', keyCount: 0 },
    ]);
    expect(registry.lacking()).toEqual([a.issuer]);
    await registry.close();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('KeySetRegistry with snapshots', () => {
  const restart = async (): Promise<IssuerKeys> => {
    await registry.close();
    registry = create();
    const keys = registry.forIssuer(discovered(a));
    await registry.start();
    return keys;
  };

  test('a cold start survives a dead issuer, and counts as ready', async () => {
    registry.forIssuer(discovered(a));
    await registry.start();
    await a.stop();
    await time.advance(2 * 3_600_000);
    const keys = await restart();
    expect(await kids(keys, 'k1')).toEqual(['k1']);
    expect(registry.lacking()).toEqual([]);
    expect(registry.status()[0]).toMatchObject({ source: 'snapshot', lastError: 'connection', keyCount: 1 });
  });

  test('a corrupted snapshot is ignored', async () => {
    registry.forIssuer(discovered(a));
    await registry.start();
    await registry.close();
    for (const file of readdirSync(dir)) writeFileSync(join(dir, file), '{"version":1,');
    await a.stop();
    await restart();
    expect(registry.lacking()).toEqual([a.issuer]);
  });
});

describe('KeySetRegistry.status()', () => {
  test('tells of keys, ages and what was skipped', async () => {
    a.keys = [k1, { kty: 'oct', k: 'AAAA' }];
    registry.forIssuer(discovered(a));
    registry.forIssuer({ issuer: 'https://s.example', source: { kind: 'jwks', jwks: { keys: [k1, k2] } } });
    await registry.start();
    await time.advance(5000);
    const [fixed, fetched] = registry.status();
    expect(fixed).toMatchObject({ issuer: 'https://s.example', ready: true, source: 'static', keyCount: 2 });
    expect(fetched).toMatchObject({
      issuer: a.issuer,
      ready: true,
      source: 'network',
      keyCount: 1,
      ageMs: 5000,
      lastError: undefined,
      failures: 0,
      skipped: { symmetric_key: 1 },
    });
    expect(JSON.stringify(registry.status())).not.toContain(String(k1.x));
  });
});

describe('KeySetRegistry with more issuers than it may hold', () => {
  test('lets go of the one used longest ago, and fetches it again when it is used', async () => {
    registry = create({ maxIssuers: 1 });
    const [ofA, ofB] = [registry.forIssuer(discovered(a)), registry.forIssuer(discovered(b))];
    await registry.start();
    expect(registry.lacking()).toEqual([]);
    expect(a.hits.jwks).toBe(1);
    expect(b.hits.jwks).toBe(0);
    const { generation } = ofA;
    expect(await kids(ofB, 'k2')).toEqual(['k2']);
    expect(ofA.isUsable(time.now())).toBe(false);
    expect(registry.status().map(({ source }) => source)).toEqual(['evicted', 'network']);
    expect(await kids(ofA, 'k1')).toEqual(['k1']);
    expect(ofA.generation).toBe(generation);
    expect(ofB.isUsable(time.now())).toBe(false);
  });
});

describe('KeySetRegistry.configure()', () => {
  test('takes new settings without losing keys', async () => {
    const keys = registry.forIssuer(discovered(a));
    registry.forIssuer(discovered(b));
    await registry.start();
    registry.configure({ ...settings, maxTtlMs: 0, minTtlMs: 0 });
    expect(keys.isUsable(time.now())).toBe(false);
    registry.configure({ ...settings, maxTtlMs: 120_000 });
    expect(keys.isUsable(time.now())).toBe(true);
    expect(time.pending).toEqual([99_000, 99_000]);
    registry.configure({ ...settings, maxIssuers: 1 });
    expect(registry.status().filter(({ source }) => source === 'evicted')).toHaveLength(1);
    expect(registry.lacking()).toEqual([]);
  });
});
