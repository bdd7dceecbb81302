import { describe, expect, test } from '@jest/globals';
import { hasRole, hasScopes } from '../src/token-checks.js';

describe('hasScopes()', () => {
  const token = { scopes: new Set(['a', 'b']) };
  test.each([
    [['a', 'b'], undefined, true],
    [['a', 'c'], undefined, false],
    [['a', 'c'], { mode: 'any' as const }, true],
    [['c'], { mode: 'any' as const }, false],
  ])('%j %j: %s', (scopes, options, expected) => {
    expect(hasScopes(token, scopes, options)).toBe(expected);
  });
});

describe('hasRole()', () => {
  test.each<[string, object, string[] | undefined, boolean]>([
    ['in roles', { roles: ['admin'] }, undefined, true],
    ['in role', { role: 'admin' }, undefined, true],
    ['in a configured claim', { groups: ['admin'] }, ['groups'], true],
    ['nowhere', { groups: ['admin'] }, undefined, false],
    ['inside another role', { role: 'not admin' }, undefined, false],
  ])('%s', (_name, claims, keys, expected) => {
    expect(hasRole({ claims: claims as never }, 'admin', { claims: keys })).toBe(expected);
  });
});
