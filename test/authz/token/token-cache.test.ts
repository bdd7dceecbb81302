import { describe, expect, test } from '@jest/globals';
import { TokenCache } from '../../../src/authz/token/token-cache.js';
import type { VerifiedToken } from '../../../src/authz/types.js';
import { NOW_MS } from '../../support/tokens.js';
import { verifiedToken } from '../contexts.js';

const epoch = { kind: 'jwt', issuer: 'https://a.example' };
const under = { epoch, keepUntilMs: Infinity };
const payloadOf = (chars: number): string => 'x'.repeat(chars);
const fill = (cache: TokenCache, count: number, payloadChars = 400): void => {
  for (let i = 0; i < count; i++) cache.remember(`h${i}`, payloadOf(payloadChars), under);
};
/** As the verifier does with a token that came again. */
const comeAgain = (cache: TokenCache, hash: string, claims = {}): VerifiedToken => {
  const known = cache.known(hash)!;
  const token = verifiedToken({ hash, claims });
  cache.keepRead(known, token);
  return token;
};

describe('TokenCache', () => {
  test('holds as many tokens as it may, and drops the one that was not asked for longest', () => {
    const cache = new TokenCache({ maxEntries: 3, maxBytes: 1024 * 1024 });
    fill(cache, 3);
    cache.known('h0');
    cache.remember('new', payloadOf(400), under);
    expect(cache.entries).toBe(3);
    expect(cache.known('h1')).toBeUndefined();
    expect(cache.known('h0')).toMatchObject({ key: 'h0', text: payloadOf(400), epoch });
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

  test('a text with characters beyond Latin-1 weighs twice', () => {
    const weigh = (payload: string): number => {
      const cache = new TokenCache({ maxEntries: 1, maxBytes: 100_000 });
      cache.remember('h', payload, under);
      return cache.bytes;
    };
    expect(weigh('ü'.repeat(1000))).toBe(weigh('x'.repeat(1000)));
    expect(weigh(`${'x'.repeat(999)}€`) - weigh('x'.repeat(1000))).toBe(1000);
  });

  test('holds nothing that is larger than all of it', () => {
    const cache = new TokenCache({ maxEntries: 10, maxBytes: 100 });
    fill(cache, 3);
    expect(cache.entries).toBe(0);
  });

  test('holds a bounded number of refusals, for a bounded time', () => {
    const cache = new TokenCache({ maxEntries: 5, maxBytes: 1000, refusedTtlMs: 50 });
    for (let i = 0; i < 100; i++)
      cache.rememberRefused(`h${i}`, { code: 'invalid_signature', epoch }, NOW_MS);
    expect(cache.refusedEntries).toBe(5);
    expect(cache.refused('h99', NOW_MS + 49)?.code).toBe('invalid_signature');
    expect(cache.refused('h99', NOW_MS + 50)).toBeUndefined();
    expect(cache.refused('h98', NOW_MS - 1)).toBeUndefined();
    expect(cache.refusedEntries).toBe(3);
  });

  test('forgets one', () => {
    const cache = new TokenCache({ maxEntries: 5, maxBytes: 100_000 });
    fill(cache, 2);
    comeAgain(cache, 'h0');
    comeAgain(cache, 'h1');
    cache.rememberRefused('r', { code: 'invalid_signature', epoch }, NOW_MS);
    cache.forget('h0');
    expect([cache.known('h0'), cache.entries]).toEqual([undefined, 1]);
  });
});

describe('TokenCache keeps tokens read that came again', () => {
  test('as the very object', () => {
    const cache = new TokenCache({ maxEntries: 3, maxBytes: 1024 * 1024 });
    fill(cache, 1);
    expect(cache.known('h0')!.token).toBeUndefined();
    const token = comeAgain(cache, 'h0');
    expect(cache.known('h0')!.token).toBe(token);
  });

  test('no more of them than it may; the others stay as text', () => {
    const cache = new TokenCache({ maxEntries: 10, maxBytes: 1024 * 1024, maxRead: 2 });
    fill(cache, 5);
    for (let i = 0; i < 5; i++) comeAgain(cache, `h${i}`);
    const isRead = [0, 1, 2, 3, 4].map((i) => cache.known(`h${i}`)!.token !== undefined);
    expect(isRead).toEqual([false, false, false, true, true]);
  });

  test('within the bytes: claims that would take all of them are not', () => {
    const cache = new TokenCache({ maxEntries: 10, maxBytes: 40_000 });
    fill(cache, 1);
    comeAgain(cache, 'h0', { many: Array.from({ length: 1000 }, () => ({})) });
    expect(cache.known('h0')).toMatchObject({ key: 'h0', token: undefined });
    expect(cache.bytes).toBeLessThanOrEqual(40_000);
  });

  test('and no longer than the token is known', () => {
    const cache = new TokenCache({ maxEntries: 2, maxBytes: 1024 * 1024 });
    fill(cache, 2);
    comeAgain(cache, 'h0');
    const before = cache.bytes;
    cache.remember('h2', payloadOf(400), under);
    cache.remember('h3', payloadOf(400), under);
    expect(cache.known('h0')).toBeUndefined();
    expect(cache.bytes).toBeLessThan(before);
  });

  test('not where the entry was replaced meanwhile', () => {
    const cache = new TokenCache({ maxEntries: 2, maxBytes: 1024 * 1024 });
    fill(cache, 1);
    const before = cache.known('h0')!;
    cache.remember('h0', payloadOf(10), { ...under });
    cache.keepRead(before, verifiedToken({ hash: 'h0' }));
    expect(cache.known('h0')!.token).toBeUndefined();
  });
});
