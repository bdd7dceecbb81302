import { beforeEach, describe, expect, test } from '@jest/globals';
import { HttpError } from '../../src/http/http-error.js';
import { FetchedIssuerKeys } from '../../src/jwks/fetched-issuer-keys.js';
import type { KeySetSettings } from '../../src/jwks/ports.js';
import type { Snapshot, SnapshotStore } from '../../src/jwks/snapshot-store.js';
import { KeysUnavailableError } from '../../src/jwks/types.js';
import { silentLogger } from '../../src/ports.js';
import { FakeTime, settle } from '../support/fake-time.js';
import { publicJwk } from '../support/public-jwk.js';
import { ManualFetcher } from './manual-fetcher.js';

const ISSUER = 'https://issuer.example';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const k1 = publicJwk({ kid: 'k1' });
const k2 = publicJwk({ kid: 'k2' });

let time: FakeTime;
let fetcher: ManualFetcher;
let outcomes: string[];
let settings: KeySetSettings;
let saved: (Snapshot | 'removed')[];
let onDisk: Snapshot | undefined;
let generations: number;

beforeEach(() => {
  time = new FakeTime();
  fetcher = new ManualFetcher(() => time.now());
  outcomes = [];
  saved = [];
  onDisk = undefined;
  generations = 0;
  settings = {
    minTtlMs: MINUTE,
    maxTtlMs: HOUR,
    cooldownMs: 30_000,
    staleIfErrorMs: 24 * HOUR,
    timeoutMs: 5000,
    maxBytes: 1_048_576,
    allowHttp: false,
  };
});

const snapshots: SnapshotStore = {
  load: () => onDisk,
  save: (_owner, snapshot) => void saved.push(snapshot),
  remove: () => void saved.push('removed'),
  flush: () => Promise.resolve(),
};

const create = (): FetchedIssuerKeys =>
  new FetchedIssuerKeys(
    ISSUER,
    { kind: 'jwksUri', jwksUri: 'https://issuer.example/jwks' },
    {
      fetcher,
      clock: time,
      scheduler: time,
      random: () => 0,
      logger: silentLogger,
      metrics: { fetched: (_issuer, outcome) => void outcomes.push(outcome) },
      snapshots,
      settings: () => settings,
      nextGeneration: () => (generations += 1),
      used: () => undefined,
    },
  );

const createStarted = async (...published: object[]): Promise<FetchedIssuerKeys> => {
  const keys = create();
  void keys.start();
  await fetcher.answer(published);
  return keys;
};

/** kids, or the error. */
const found = async (keys: FetchedIssuerKeys, kid: string | undefined): Promise<unknown> => {
  try {
    return (await keys.find(kid, 'ES256')).map((key) => key.kid);
  } catch (error) {
    return error;
  }
};
const now = (keys: FetchedIssuerKeys, kid: string): unknown => {
  const result = keys.find(kid, 'ES256');
  return result instanceof Promise ? 'has to wait' : result.map((key) => key.kid);
};

describe('FetchedIssuerKeys.find()', () => {
  test('answers at once from the set that is there', async () => {
    const keys = await createStarted(k1, k2);
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(keys.isUsable(time.now())).toBe(true);
    expect(fetcher.count).toBe(1);
  });

  test('lets all who come before the first set wait for one fetch', async () => {
    const keys = create();
    const answers = Array.from({ length: 50 }, () => found(keys, 'k1'));
    await fetcher.answer([k1]);
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 50 }, () => ['k1']));
    expect(fetcher.count).toBe(1);
  });

  test('bounds those who wait', async () => {
    const keys = create();
    const answers = Array.from({ length: 300 }, () => found(keys, 'k1'));
    await fetcher.answer([k1]);
    const results = await Promise.all(answers);
    expect(results.filter((result) => Array.isArray(result))).toHaveLength(256);
    expect(results.filter((result) => result instanceof KeysUnavailableError)).toHaveLength(44);
    expect(now(keys, 'k1')).toEqual(['k1']);
  });

  test('does not ask for an algorithm of a known kid more often than for an unknown kid', async () => {
    const keys = await createStarted(k1);
    for (let i = 0; i < 100; i += 1) void keys.find('k1', 'RS256');
    await fetcher.answer([k1]);
    for (let i = 0; i < 100; i += 1) void keys.find('k1', 'RS256');
    expect(fetcher.count).toBe(2);
  });
});

describe('FetchedIssuerKeys.find() of an unknown kid', () => {
  test('fetches, and finds a key that was just rotated in', async () => {
    const keys = await createStarted(k1);
    const before = keys.generation;
    const answer = found(keys, 'k2');
    await fetcher.answer([k1, k2]);
    expect(await answer).toEqual(['k2']);
    expect(keys.generation).toBeGreaterThan(before);
  });

  test('10,000 random kids cause one fetch per cooldown', async () => {
    const keys = await createStarted(k1);
    const flood = (): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 10_000 }, (_, i) => found(keys, `random-${time.now()}-${i}`)));
    for (let round = 1; round <= 3; round += 1) {
      const answers = flood();
      await settle();
      expect(fetcher.count).toBe(1 + round);
      await fetcher.answer([k1]);
      expect(new Set((await answers).map((answer) => JSON.stringify(answer)))).toEqual(new Set(['[]']));
      await flood();
      await time.advance(29_999);
      await flood();
      expect(fetcher.count).toBe(1 + round);
      await time.advance(1);
    }
  });

  test('answers the others at once while 256 wait', async () => {
    const keys = await createStarted(k1);
    const waiting = Array.from({ length: 256 }, (_, i) => found(keys, `r${i}`));
    expect(now(keys, 'one-more')).toEqual([]);
    expect(now(keys, 'k1')).toEqual(['k1']);
    await fetcher.answer([k1]);
    await Promise.all(waiting);
  });

  test('is not fetched for while the issuer is in back-off', async () => {
    const keys = await createStarted(k1);
    const answer = found(keys, 'k2');
    await fetcher.fail();
    expect(await answer).toEqual([]);
    await time.advance(100);
    settings = { ...settings, cooldownMs: 0 };
    expect(now(keys, 'k3')).toEqual([]);
    expect(fetcher.count).toBe(2);
  });

  test('is fetched for again after the clock was set back', async () => {
    const keys = await createStarted(k1);
    void found(keys, 'r1');
    await fetcher.answer([k1]);
    time.set(time.now() - 10 * HOUR);
    void found(keys, 'r2');
    expect(fetcher.count).toBe(3);
  });
});

describe('FetchedIssuerKeys refreshing', () => {
  test.each([
    ['what the issuer says', 10 * MINUTE, 7.5 * MINUTE],
    ['minTtl at least', 0, 45_000],
    ['maxTtl at most', 48 * HOUR, 45 * MINUTE],
    ['ten minutes where the issuer says nothing', undefined, 7.5 * MINUTE],
  ])('comes before the end of %s', async (_name, ttlMs, expected) => {
    const keys = create();
    void keys.start();
    await fetcher.answer([k1], { ttlMs });
    expect(time.pending).toEqual([expected]);
    await time.advance(expected - 1);
    expect(fetcher.count).toBe(1);
    await time.advance(1);
    expect(fetcher.count).toBe(2);
    expect(now(keys, 'k1')).toEqual(['k1']);
  });

  test('goes on without traffic, and keeps the generation while the keys stay', async () => {
    const keys = await createStarted(k1, k2);
    const { generation } = keys;
    for (let i = 0; i < 5; i += 1) {
      await time.advance(8 * MINUTE);
      await fetcher.answer([k2, k1]);
    }
    expect(fetcher.count).toBe(6);
    expect(keys.generation).toBe(generation);
    await time.advance(8 * MINUTE);
    await fetcher.answer([k2]);
    expect(keys.generation).toBeGreaterThan(generation);
    expect(now(keys, 'k2')).toEqual(['k2']);
  });

  test('does not hold up anybody', async () => {
    const keys = await createStarted(k1);
    await time.advance(11 * MINUTE);
    expect(fetcher.count).toBe(2);
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(keys.isUsable(time.now())).toBe(true);
  });

  test('of an answer that is old already does not spin', async () => {
    const keys = create();
    void keys.start();
    await fetcher.answer([k1], { fetchedAtMs: time.now() - 10 * HOUR });
    expect(time.pending).toEqual([500]);
    keys.close();
    expect(time.pending).toEqual([]);
  });
});

describe('FetchedIssuerKeys while the issuer fails', () => {
  test('serves the last good set up to staleIfError past its end, and refuses then', async () => {
    const keys = await createStarted(k1);
    const expiresAt = time.now() + 10 * MINUTE;
    const failAll = async (untilMs: number): Promise<void> => {
      while (time.now() < untilMs) {
        await time.advance(Math.min(time.pending[0] ?? 1000, untilMs - time.now()));
        if (fetcher.count > outcomes.length) await fetcher.fail(new HttpError('connection', 'down'));
      }
    };
    await failAll(expiresAt + 24 * HOUR - 1);
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(keys.isUsable(time.now())).toBe(true);
    await failAll(expiresAt + 24 * HOUR);
    expect(keys.isUsable(time.now())).toBe(false);
    expect(await found(keys, 'k1')).toBeInstanceOf(KeysUnavailableError);
    await time.advance(30_000);
    const waiting = found(keys, 'k1');
    await fetcher.answer([k1]);
    expect(await waiting).toEqual(['k1']);
    expect(keys.generation).toBe(1);
  });

  test('backs off, doubling up to half a minute', async () => {
    const keys = create();
    void keys.start();
    const delays: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      await fetcher.fail();
      delays.push(...time.pending);
      await time.advance(time.pending[0] ?? 0);
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(keys.failures).toBe(8);
  });

  test('fails fast between attempts, and says when to come back', async () => {
    const keys = create();
    const first = found(keys, 'k1');
    await fetcher.fail(new HttpError('timeout', 'slow'));
    expect(await first).toMatchObject({ name: 'KeysUnavailableError', issuer: ISSUER, retryAfterS: 1 });
    for (let i = 0; i < 4; i += 1) {
      await time.advance(time.pending[0] ?? 0);
      await fetcher.fail();
    }
    expect(await found(keys, 'k1')).toMatchObject({ retryAfterS: 8 });
    expect(fetcher.count).toBe(5);
    expect(keys.lastError).toBe('internal');
  });

  test('recovers by itself', async () => {
    const keys = create();
    void keys.start();
    await fetcher.fail();
    expect(keys.isReady(time.now())).toBe(false);
    await time.advance(500);
    await fetcher.answer([k1]);
    expect(keys.isReady(time.now())).toBe(true);
    expect(keys.lastError).toBeUndefined();
    expect(outcomes).toEqual(['internal', 'success']);
  });

  test('two tokens at once meet one failure, and no attempt begins inside another', async () => {
    const keys = create();
    const both = [found(keys, 'k1'), found(keys, 'k2')];
    await fetcher.fail();
    expect((await Promise.all(both)).every((result) => result instanceof KeysUnavailableError)).toBe(true);
    expect(fetcher.count).toBe(1);
    expect(time.pending).toHaveLength(1);
  });

  test('survives a fetcher that throws', async () => {
    const keys = create();
    fetcher.fetch = () => {
      throw new Error('broken');
    };
    expect(await found(keys, 'k1')).toBeInstanceOf(KeysUnavailableError);
    expect(await keys.start()).toBe(false);
  });

  test.each([
    ['an empty set', [], 'no_usable_keys'],
    ['useless keys', [{ kty: 'oct', k: 'AAAA' }], 'no_usable_keys'],
  ])('takes %s for a failure and keeps the last good set', async (_name, published, code) => {
    const keys = await createStarted(k1);
    await time.advance(8 * MINUTE);
    await fetcher.answer(published);
    expect(keys.lastError).toBe(code);
    expect(now(keys, 'k1')).toEqual(['k1']);
  });
});

describe('FetchedIssuerKeys and a set without a usable key', () => {
  test('is unavailable until a second fetch confirms it, then knows no key [empty key set]', async () => {
    const keys = await createStarted();
    expect(keys.lastError).toBe('no_usable_keys');
    expect(await found(keys, 'k1')).toBeInstanceOf(KeysUnavailableError);
    await time.advance(1000);
    await fetcher.answer([]);
    expect(keys.lastError).toBeUndefined();
    expect(keys.isReady(time.now())).toBe(false);
    const answer = found(keys, 'k1');
    await fetcher.answer([]);
    expect(await answer).toEqual([]);
    expect(saved).toContain('removed');
  });

  test('comes back with the first usable key [empty key set]', async () => {
    const keys = await createStarted();
    await time.advance(1000);
    await fetcher.answer([]);
    const answer = found(keys, 'k1');
    await fetcher.answer([k1]);
    expect(await answer).toEqual(['k1']);
    expect(keys.isReady(time.now())).toBe(true);
  });
});

describe('FetchedIssuerKeys with maxTtl 0', () => {
  beforeEach(() => {
    settings = { ...settings, maxTtlMs: 0, minTtlMs: 0 };
  });

  test('fetches again for every token, and never believes what was verified before', async () => {
    const keys = await createStarted(k1);
    expect(keys.isUsable(time.now())).toBe(false);
    for (const published of [[k1], [k2], [k1, k2]]) {
      const answer = found(keys, 'k1');
      await fetcher.answer(published);
      expect(await answer).toEqual(published.includes(k1) ? ['k1'] : []);
    }
    expect(fetcher.count).toBe(4);
    expect(time.pending).toEqual([]);
  });

  test('lets tokens that come together share a fetch', async () => {
    const keys = create();
    const answers = [found(keys, 'k1'), found(keys, 'k1'), found(keys, 'nope')];
    await fetcher.answer([k1]);
    expect(await Promise.all(answers)).toEqual([['k1'], ['k1'], []]);
    expect(fetcher.count).toBe(1);
  });

  test('falls back on the last good set, and asks the next time without back-off', async () => {
    const keys = await createStarted(k1);
    for (let i = 0; i < 3; i += 1) {
      const answer = found(keys, 'k1');
      await fetcher.fail();
      expect(await answer).toEqual(['k1']);
    }
    expect(fetcher.count).toBe(4);
  });

  test('takes the fresh set even with staleIfError 0', async () => {
    settings = { ...settings, staleIfErrorMs: 0 };
    const keys = create();
    const answer = found(keys, 'k1');
    await time.advance(3);
    await fetcher.answer([k1], { fetchedAtMs: time.now() - 3 });
    expect(await answer).toEqual(['k1']);
    expect(keys.isReady(time.now())).toBe(true);
    const failing = found(keys, 'k1');
    await fetcher.fail();
    expect(await failing).toBeInstanceOf(KeysUnavailableError);
    expect(keys.isReady(time.now())).toBe(false);
  });
});

describe('FetchedIssuerKeys.invalidate()', () => {
  test('fetches at once, in spite of cooldown and back-off, and asks for the metadata too', async () => {
    const keys = await createStarted(k1);
    await time.advance(8 * MINUTE);
    await fetcher.fail();
    const done = keys.invalidate({ drop: false });
    expect(now(keys, 'k1')).toEqual(['k1']);
    await fetcher.answer([k2]);
    expect(await done).toBe(true);
    expect(fetcher.requests.at(-1)?.rediscover).toBe(true);
    expect(now(keys, 'k2')).toEqual(['k2']);
  });

  test('keeps the old set while that fails', async () => {
    const keys = await createStarted(k1);
    const { generation } = keys;
    const done = keys.invalidate({ drop: false });
    await fetcher.fail();
    expect(await done).toBe(false);
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(keys.generation).toBe(generation);
  });

  test('with drop forgets the set and its snapshot at once', async () => {
    const keys = await createStarted(k1);
    const { generation } = keys;
    const done = keys.invalidate({ drop: true });
    expect(keys.isUsable(time.now())).toBe(false);
    expect(keys.generation).toBeGreaterThan(generation);
    expect(saved.at(-1)).toBe('removed');
    const waiting = found(keys, 'k1');
    await fetcher.fail();
    expect(await done).toBe(false);
    expect(await waiting).toBeInstanceOf(KeysUnavailableError);
  });

  test('throws away an answer that was asked for before, and whoever waited for it gets the new one', async () => {
    const keys = create();
    const early = found(keys, 'k1');
    const first = keys.invalidate({ drop: true });
    const second = keys.invalidate({ drop: true });
    expect(fetcher.requests.slice(0, 2).every(({ signal }) => signal?.aborted)).toBe(true);
    await fetcher.answer([k1]);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(await early).toEqual(['k1']);
    expect(outcomes).toEqual(['success']);
  });
});

describe('FetchedIssuerKeys with a snapshot', () => {
  const snapshot = (ageMs: number, ttlMs = 10 * MINUTE): Snapshot => ({
    jwks: { keys: [k1] },
    fetchedAtMs: time.now() - ageMs,
    ttlMs,
  });

  test('uses one that has not expired at once', () => {
    onDisk = snapshot(5 * MINUTE);
    const keys = create();
    void keys.start();
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(keys.isReady(time.now())).toBe(true);
    expect(keys.latest?.source).toBe('snapshot');
  });

  test('uses an expired one when the issuer turns out to be down', async () => {
    onDisk = snapshot(5 * HOUR);
    const keys = create();
    const waiting = found(keys, 'k1');
    expect(keys.isReady(time.now())).toBe(false);
    await fetcher.fail();
    expect(await waiting).toEqual(['k1']);
    expect(keys.isReady(time.now())).toBe(true);
  });

  test('prefers what the issuer says', async () => {
    onDisk = snapshot(5 * HOUR);
    const keys = create();
    const waiting = found(keys, 'k1');
    await fetcher.answer([k2]);
    expect(await waiting).toEqual([]);
    expect(keys.latest?.source).toBe('network');
  });

  test.each<[string, () => Snapshot]>([
    ['older than staleIfError', () => snapshot(25 * HOUR)],
    ['from the future', () => snapshot(-2 * MINUTE)],
    ['of an absurd lifetime', () => snapshot(26 * HOUR, 1e15)],
    ['without a usable key', () => ({ ...snapshot(0), jwks: { keys: [{ kty: 'oct', k: 'AA' }] } })],
    ['without keys', () => ({ ...snapshot(0), jwks: {} })],
  ])('does not use one %s', async (_name, make) => {
    onDisk = make();
    const keys = create();
    const waiting = found(keys, 'k1');
    await fetcher.fail();
    expect(await waiting).toBeInstanceOf(KeysUnavailableError);
    expect(keys.isReady(time.now())).toBe(false);
  });

  test('writes one when keys change, and otherwise once per minute at most', async () => {
    settings = { ...settings, maxTtlMs: 0, minTtlMs: 0 };
    const keys = await createStarted(k1);
    const fetchOnce = async (published: object[]): Promise<void> => {
      void found(keys, 'k1');
      await fetcher.answer(published);
    };
    await fetchOnce([k1]);
    await fetchOnce([k1]);
    expect(saved).toHaveLength(1);
    await fetchOnce([k1, k2]);
    expect(saved).toHaveLength(2);
    await time.advance(MINUTE);
    await fetchOnce([k1, k2]);
    expect(saved).toHaveLength(3);
  });
});

describe('FetchedIssuerKeys.close()', () => {
  test('ends all activity, and goes on serving the set that is there', async () => {
    const keys = await createStarted(k1);
    keys.close();
    expect(time.pending).toEqual([]);
    expect(now(keys, 'k1')).toEqual(['k1']);
    expect(now(keys, 'unknown')).toEqual([]);
    expect(await keys.invalidate({ drop: true })).toBe(false);
    expect(await keys.start()).toBe(false);
    keys.reconfigured();
    expect(time.pending).toEqual([]);
    expect(fetcher.count).toBe(1);
  });

  test('gives up what is under way, and leaves nobody waiting', async () => {
    const keys = create();
    const waiting = found(keys, 'k1');
    keys.close();
    expect(await waiting).toBeInstanceOf(KeysUnavailableError);
    expect(await found(keys, 'k1')).toBeInstanceOf(KeysUnavailableError);
    expect(fetcher.requests[0]?.signal?.aborted).toBe(true);
    expect(time.pending).toEqual([]);
  });
});
