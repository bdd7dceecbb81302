import { describe, expect, test } from '@jest/globals';
import type { FetchedKeySet, KeySetRequest } from '../../src/jwks/ports.js';
import { createSharedFetcher } from '../../src/jwks/shared-fetcher.js';

const SETTINGS = {
  minTtlMs: 60_000,
  maxTtlMs: 3_600_000,
  cooldownMs: 30_000,
  staleIfErrorMs: 0,
  timeoutMs: 5000,
  maxBytes: 1,
  allowHttp: false,
};
const request = (issuer: string, settings = SETTINGS): KeySetRequest => ({
  issuer,
  source: { kind: 'discovery' },
  settings,
  rediscover: false,
});

function shared(fetch?: () => Promise<FetchedKeySet>) {
  let nowMs = 1_000_000;
  let asked = 0;
  const fetcher = createSharedFetcher(
    {
      fetch: () => {
        asked++;
        return fetch?.() ?? Promise.resolve({ jwks: { keys: [] }, ttlMs: undefined, fetchedAtMs: nowMs });
      },
    },
    { now: () => nowMs },
  );
  return { fetcher, asked: () => asked, pass: (ms: number) => (nowMs += ms) };
}

describe('createSharedFetcher()', () => {
  test('asks the issuer once for all who ask within a cooldown', async () => {
    const { fetcher, asked, pass } = shared();
    await Promise.all([fetcher.fetch(request('a')), fetcher.fetch(request('a'))]);
    pass(29_999);
    await fetcher.fetch(request('a'));
    expect(asked()).toBe(1);
    pass(1);
    await fetcher.fetch(request('a'));
    expect(asked()).toBe(2);
  });

  test('never mixes issuers', async () => {
    const { fetcher, asked } = shared();
    await fetcher.fetch(request('a'));
    await fetcher.fetch(request('b'));
    expect(asked()).toBe(2);
  });

  test('shares nothing where a set is wanted for every token', async () => {
    const { fetcher, asked } = shared();
    await fetcher.fetch(request('a', { ...SETTINGS, maxTtlMs: 0 }));
    await fetcher.fetch(request('a', { ...SETTINGS, maxTtlMs: 0 }));
    expect(asked()).toBe(2);
  });

  test('does not keep a failure', async () => {
    let fail = true;
    const { fetcher, asked } = shared(() =>
      fail
        ? Promise.reject(new Error('down'))
        : Promise.resolve({ jwks: {}, ttlMs: undefined, fetchedAtMs: 0 }),
    );
    await expect(fetcher.fetch(request('a'))).rejects.toThrow('down');
    fail = false;
    await expect(fetcher.fetch(request('a'))).resolves.toBeDefined();
    expect(asked()).toBe(2);
  });

  test.each([
    ['one issuer', 'a', 3],
    ['all', undefined, 4],
  ])('forget() of %s', async (_name, issuer, expected) => {
    const { fetcher, asked } = shared();
    const both = () => Promise.all([fetcher.fetch(request('a')), fetcher.fetch(request('b'))]);
    await both();
    fetcher.forget(issuer);
    await both();
    expect(asked()).toBe(expected);
  });

  test('one asker that gives up does not end the fetch of the others', async () => {
    const { fetcher } = shared();
    const gaveUp = new AbortController();
    const first = fetcher.fetch({ ...request('a'), signal: gaveUp.signal });
    gaveUp.abort();
    await expect(first).resolves.toBeDefined();
  });
});
