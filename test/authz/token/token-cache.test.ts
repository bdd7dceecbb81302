import { describe, expect, test } from '@jest/globals';
import { TokenCache } from '../../../src/authz/token/token-cache.js';
import type { VerifiedToken } from '../../../src/authz/types.js';
import { NOW_MS, TestIssuerKeys } from '../../support/tokens.js';

const under = { keys: new TestIssuerKeys('https://a.example', []), generation: 1, rules: '' };
const token = (hash: string): VerifiedToken => ({
  issuer: 'https://a.example',
  hash,
  claims: {},
  subject: undefined,
  clientId: undefined,
  scopes: new Set(),
  confirmation: undefined,
  expiresAtS: 0,
  notBeforeS: undefined,
  issuedAtS: undefined,
});
const fill = (cache: TokenCache, count: number, payloadChars = 400): void => {
  for (let i = 0; i < count; i++) cache.remember({ token: token(`h${i}`), under }, payloadChars);
};

describe('TokenCache', () => {
  test('holds as many tokens as it may, and drops the one that was not asked for longest', () => {
    const cache = new TokenCache({ maxEntries: 3, maxBytes: 1024 * 1024 });
    fill(cache, 3);
    cache.known('h0');
    cache.remember({ token: token('new'), under }, 400);
    expect(cache.entries).toBe(3);
    expect(cache.known('h1')).toBeUndefined();
    expect(cache.known('h0')?.token.hash).toBe('h0');
  });

  test('holds as many bytes as it may', () => {
    const cache = new TokenCache({ maxEntries: 1_000_000, maxBytes: 100_000 });
    fill(cache, 1000);
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
    expect(cache.entries).toBeGreaterThan(10);
    const entries = cache.entries;
    fill(cache, 1000, 4000);
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
    expect(cache.entries).toBeLessThan(entries);
  });

  test('holds nothing that is larger than all of it', () => {
    const cache = new TokenCache({ maxEntries: 10, maxBytes: 100 });
    fill(cache, 3);
    expect(cache.entries).toBe(0);
  });

  test('holds a bounded number of refusals, for a bounded time', () => {
    const cache = new TokenCache({ maxEntries: 5, maxBytes: 1000, refusedTtlMs: 50 });
    for (let i = 0; i < 100; i++) {
      cache.rememberRefused(`h${i}`, { code: 'invalid_signature', issuer: 'x', under }, NOW_MS);
    }
    expect(cache.refusedEntries).toBe(5);
    expect(cache.refused('h99', NOW_MS + 49)?.code).toBe('invalid_signature');
    expect(cache.refused('h99', NOW_MS + 50)).toBeUndefined();
    expect(cache.refused('h98', NOW_MS - 1)).toBeUndefined();
    expect(cache.refusedEntries).toBe(3);
  });

  test('forgets one, or everything', () => {
    const cache = new TokenCache({ maxEntries: 5, maxBytes: 100_000 });
    fill(cache, 2);
    cache.rememberRefused('r', { code: 'invalid_signature', issuer: 'x', under }, NOW_MS);
    cache.forget('h0');
    expect([cache.known('h0'), cache.entries]).toEqual([undefined, 1]);
    cache.clear();
    expect([cache.entries, cache.refusedEntries, cache.bytes]).toEqual([0, 0, 0]);
  });
});
