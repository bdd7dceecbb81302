import { describe, expect, test } from '@jest/globals';
import { createNonces } from '../../../src/authz/dpop/nonce.js';
import { athOf, codeOf, denialOf, testNonces } from '../../support/proofs.js';
import { NOW_MS } from '../../support/tokens.js';
import type { Denial } from '../../../src/authz/denial.js';

const LIFETIME_MS = 300_000;
const token = athOf('one token');
const nonces = testNonces(['new secret', 'old secret']);

describe('createNonces() issues', () => {
  test('48 characters of base64url, another each time', () => {
    const issued = new Set(Array.from({ length: 100 }, () => nonces.issue(token, NOW_MS)));
    expect(issued.size).toBe(100);
    for (const nonce of issued) expect(nonce).toMatch(/^[A-Za-z0-9_-]{48}$/);
  });

  test('what only its own token opens, even where the random source fails', () => {
    const random = (bytes: number): Buffer => Buffer.alloc(bytes);
    const fixed = createNonces({ secrets: ['s'], lifetimeMs: LIFETIME_MS, clockToleranceMs: 0, random });
    const nonce = fixed.issue(token, NOW_MS);
    expect(codeOf(() => fixed.verify(nonce, token, NOW_MS))).toBe('nothing');
    expect(codeOf(() => fixed.verify(nonce, athOf('another'), NOW_MS))).toBe('dpop_nonce_required');
  });

  test('nothing without a secret', () => {
    expect(() => createNonces({ secrets: [], lifetimeMs: 1, clockToleranceMs: 0 })).toThrow(TypeError);
  });
});

describe('createNonces() verifies', () => {
  const nonce = nonces.issue(token, NOW_MS);

  test.each([
    ['at once', 0],
    ['to the end of its life', LIFETIME_MS],
    ['from a replica whose clock is ahead', -10_000],
  ])('a nonce %s', (_, ageMs) => {
    expect(codeOf(() => nonces.verify(nonce, token, NOW_MS + ageMs))).toBe('nothing');
  });

  test('a nonce again and again', () => {
    for (let i = 0; i < 3; i++) expect(nonces.verify(nonce, token, NOW_MS)).toBeUndefined();
  });

  test('a nonce of another secret in the list, so that secrets rotate', () => {
    const old = testNonces(['old secret']).issue(token, NOW_MS);
    expect(nonces.verify(old, token, NOW_MS)).toBeUndefined();
  });

  test.each([
    ['in the first four fifths of its life', 0.8, false],
    ['after them', 0.81, true],
  ])('and replaces it %s: %s', (_, share, replaced) => {
    const nowMs = NOW_MS + LIFETIME_MS * share;
    const fresh = nonces.verify(nonce, token, nowMs);
    expect(fresh !== undefined).toBe(replaced);
    if (fresh !== undefined) expect(nonces.verify(fresh, token, nowMs + LIFETIME_MS)).toBeDefined();
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['no nonce', 'hello'],
    ['too long', nonce.repeat(100)],
    ['padded', `${nonce}=`],
    ['in the other alphabet', '+'.repeat(48)],
    ['changed', (nonce.startsWith('A') ? 'B' : 'A') + nonce.slice(1)],
    ['with a changed tag', nonce.slice(0, -1) + (nonce.endsWith('A') ? 'B' : 'A')],
    ['from another secret', testNonces(['foreign secret']).issue(token, NOW_MS)],
    ['of another token', nonces.issue(athOf('another token'), NOW_MS)],
    ['stale', nonces.issue(token, NOW_MS - LIFETIME_MS - 1)],
    ['from the future', nonces.issue(token, NOW_MS + 10_001)],
  ])('a nonce that is %s is answered with a fresh one', (_, sent) => {
    const denial = denialOf(() => nonces.verify(sent, token, NOW_MS)) as Denial;
    expect(denial.code).toBe('dpop_nonce_required');
    expect(nonces.verify(denial.details.nonce, token, NOW_MS)).toBeUndefined();
  });
});
