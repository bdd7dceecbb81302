import { describe, expect, test } from '@jest/globals';
import type { Requirement, VerifiedToken } from '../../../src/authz/types.js';
import { compileClaimPath } from '../../../src/authz/policy/claim-path.js';
import { createClaimRequirement, type ClaimSpec } from '../../../src/authz/policy/claims.js';
import { createRoleRequirement, type RoleSpec } from '../../../src/authz/policy/roles.js';
import {
  challengeScopeOf,
  createScopeRequirement,
  type ScopeSpec,
} from '../../../src/authz/policy/scopes.js';
import { createStepUpRequirement, type StepUpSpec } from '../../../src/authz/policy/step-up.js';
import type { JsonObject } from '../../../src/ports.js';
import { checkContext, denialOf, NOW_S, thrownBy, verifiedToken } from '../contexts.js';

const json = (text: string): JsonObject => JSON.parse(text) as JsonObject;

function holds(requirement: Requirement, token: Partial<VerifiedToken>): boolean {
  return denialOf(() => requirement(checkContext(), verifiedToken(token))) === 'passed';
}

describe('compileClaimPath()', () => {
  test.each<[string, string, JsonObject, unknown]>([
    ['a plain name', 'sub', { sub: 'a' }, 'a'],
    ['an absent one', 'sub', {}, undefined],
    ['a dotted name', 'realm_access.roles', { realm_access: { roles: ['a'] } }, ['a']],
    ['a literal name with dots', 'https://acme.com/roles', { 'https://acme.com/roles': ['a'] }, ['a']],
    ['the literal name first', 'a.b', { 'a.b': 1, a: { b: 2 } }, 1],
    [
      'a literal name, then a dot',
      'https://acme.com/meta.plan',
      { 'https://acme.com/meta': { plan: 'x' } },
      'x',
    ],
    ['a literal name within', 'a.b.c', { a: { 'b.c': 1 } }, 1],
    ['a shorter way where the longer ends', 'a.b.c', { 'a.b': { d: 1 }, a: { b: { c: 2 } } }, 2],
    ['through null', 'a.b', { a: null }, undefined],
    ['through a text', 'a.length', { a: 'abc' }, undefined],
    ['through a list', 'a.0', { a: ['x'] }, undefined],
    ['length of a list', 'a.length', { a: ['x'] }, undefined],
    ['constructor', 'constructor', {}, undefined],
    ['constructor of an object', 'a.constructor', { a: {} }, undefined],
    ['an own constructor', 'constructor', { constructor: 'x' }, 'x'],
    ['__proto__', '__proto__', {}, undefined],
    ['an own __proto__', '__proto__', json('{"__proto__":["admin"]}'), undefined],
    ['through an own __proto__', '__proto__.roles', json('{"__proto__":{"roles":["admin"]}}'), undefined],
    ['to an own __proto__', 'a.__proto__', json('{"a":{"__proto__":["admin"]}}'), undefined],
    ['too many dots', 'a.'.repeat(20), { a: {} }, undefined],
  ])('finds %s', (_, name, claims, expected) => {
    expect(compileClaimPath(name)(claims)).toEqual(expected);
  });
});

describe('createScopeRequirement()', () => {
  test.each<[string, ScopeSpec, string[], boolean]>([
    ['all there', { all: ['a', 'b'] }, ['a', 'b', 'c'], true],
    ['one missing', { all: ['a', 'b'] }, ['a'], false],
    ['any there', { any: ['a', 'b'] }, ['b'], true],
    ['none of any', { any: ['a', 'b'] }, ['c'], false],
    ['both', { all: ['a'], any: ['b', 'c'] }, ['a', 'c'], true],
    ['both, any missing', { all: ['a'], any: ['b', 'c'] }, ['a'], false],
    ['an empty any cannot hold', { any: [] }, ['a'], false],
    ['scopes have case', { all: ['a'] }, ['A'], false],
    ['no prefixes', { all: ['orders'] }, ['orders:write'], false],
    ['no scopes', { all: ['a'] }, [], false],
  ])('%s', (_, spec, scopes, expected) => {
    expect(holds(createScopeRequirement(spec), { scopes: new Set(scopes) })).toBe(expected);
  });

  test('names the sufficient scopes', () => {
    const require = createScopeRequirement({ all: ['a', 'b'], any: ['c', 'd'] });
    expect(thrownBy(() => require(checkContext(), verifiedToken()))).toMatchObject({
      code: 'insufficient_scope',
      details: { scope: 'a b c' },
    });
  });

  test('throws at once for a requirement of nothing', () => {
    expect(() => createScopeRequirement({})).toThrow();
    expect(() => createRoleRequirement({ claims: ['groups'] })).toThrow();
  });

  test('challengeScopeOf() names each scope once', () => {
    expect(challengeScopeOf({ all: ['a'], any: ['a', 'b'] })).toBe('a');
    expect(challengeScopeOf({})).toBe('');
  });
});

describe('createRoleRequirement()', () => {
  test.each<[string, RoleSpec, object, boolean]>([
    ['a list', { any: ['admin'] }, { roles: ['user', 'admin'] }, true],
    ['a text parted by spaces', { any: ['admin'] }, { roles: 'user admin' }, true],
    ['a text parted by commas', { any: ['admin'] }, { roles: 'user,admin, x' }, true],
    ['role as a text is one role', { any: ['admin'] }, { role: 'not admin' }, false],
    ['role as a text with a space', { any: ['not admin'] }, { role: 'not admin' }, true],
    ['one role as a text', { any: ['admin'] }, { role: 'admin' }, true],
    ['a part of a word', { any: ['admin'] }, { roles: 'superadmin admins' }, false],
    ['a part of a member', { any: ['admin'] }, { roles: ['super admin'] }, false],
    ['a member with a space', { any: ['super admin'] }, { roles: ['super admin'] }, true],
    ['role beside roles', { all: ['a', 'b'] }, { roles: ['a'], role: 'b' }, true],
    ['all', { all: ['a', 'b'] }, { roles: ['a', 'b'] }, true],
    ['not all', { all: ['a', 'b'] }, { roles: ['a'] }, false],
    ['none', { any: ['a'] }, { roles: [] }, false],
    ['no claim', { any: ['a'] }, {}, false],
    ['an empty any cannot hold', { any: [] }, { roles: ['a'] }, false],
    ['configured claims only', { any: ['a'], claims: ['groups'] }, { roles: ['a'] }, false],
    [
      'a dotted claim',
      { any: ['a'], claims: ['realm_access.roles'] },
      { realm_access: { roles: ['a'] } },
      true,
    ],
    [
      'a claim named by a URL',
      { any: ['a'], claims: ['https://acme.com/roles'] },
      { 'https://acme.com/roles': ['a'] },
      true,
    ],
    ['an object', { any: ['admin'] }, { roles: { admin: true } }, false],
    ['a number', { any: ['1'] }, { roles: 1 }, false],
    ['numbers in a list', { any: ['1'] }, { roles: [1] }, false],
    ['true', { any: ['true'] }, { roles: true }, false],
    ['null', { any: ['a'] }, { roles: null }, false],
    ['a list in a list', { any: ['a'] }, { roles: [['a']] }, false],
    ['roles have case', { any: ['admin'] }, { roles: ['Admin'] }, false],
  ])('%s', (_, spec, claims, expected) => {
    expect(holds(createRoleRequirement(spec), { claims: claims as JsonObject })).toBe(expected);
  });
});

describe('createClaimRequirement()', () => {
  test.each<[string, ClaimSpec, object, boolean]>([
    ['equal', { tenant: 'acme' }, { tenant: 'acme' }, true],
    ['different', { tenant: 'acme' }, { tenant: 'Acme' }, false],
    ['absent', { tenant: 'acme' }, {}, false],
    ['one of', { tier: ['gold', 'silver'] }, { tier: 'silver' }, true],
    ['none of', { tier: ['gold', 'silver'] }, { tier: 'bronze' }, false],
    ['contained', { amr: ['mfa', 'otp'] }, { amr: ['pwd', 'otp'] }, true],
    ['one value contained', { amr: 'otp' }, { amr: ['pwd', 'otp'] }, true],
    ['not contained', { amr: ['mfa'] }, { amr: ['pwd'] }, false],
    ['several', { a: 1, b: true }, { a: 1, b: true }, true],
    ['one of several missing', { a: 1, b: true }, { a: 1 }, false],
    ['a number is no text', { level: 1 }, { level: '1' }, false],
    ['a text is no number', { level: '1' }, { level: 1 }, false],
    ['one is not true', { admin: true }, { admin: 1 }, false],
    ['a text is not true', { admin: true }, { admin: 'true' }, false],
    ['false is not absent', { banned: false }, {}, false],
    ['false', { banned: false }, { banned: false }, true],
    ['zero is not null', { n: 0 }, { n: null }, false],
    ['an object', { a: 'x' }, { a: { x: 'x' } }, false],
    ['a list in a list', { a: 'x' }, { a: [['x']] }, false],
    ['an empty list of values', { a: [] }, { a: 'x' }, false],
    ['a dotted name', { 'org.id': 'x' }, { org: { id: 'x' } }, true],
    ['constructor', { constructor: 'x' }, {}, false],
  ])('%s', (_, spec, claims, expected) => {
    expect(holds(createClaimRequirement(spec), { claims: claims as JsonObject })).toBe(expected);
  });
});

describe('createStepUpRequirement()', () => {
  const MAX_AGE: StepUpSpec = { maxAge: 900_000 };
  test.each<[string, StepUpSpec, object, boolean]>([
    ['the class', { acr: ['urn:mfa'] }, { acr: 'urn:mfa' }, true],
    ['another class', { acr: ['urn:mfa'] }, { acr: 'urn:pwd' }, false],
    ['one of two classes', { acr: ['urn:mfa', 'urn:hw'] }, { acr: 'urn:hw' }, true],
    ['no class', { acr: ['urn:mfa'] }, {}, false],
    ['a list of classes', { acr: ['urn:mfa'] }, { acr: ['urn:mfa'] }, false],
    ['recent', MAX_AGE, { auth_time: NOW_S - 899 }, true],
    ['just recent enough', MAX_AGE, { auth_time: NOW_S - 900 }, true],
    ['too long ago', MAX_AGE, { auth_time: NOW_S - 901 }, false],
    ['no time', MAX_AGE, {}, false],
    ['a time as a text', MAX_AGE, { auth_time: String(NOW_S) }, false],
    ['a time in milliseconds', MAX_AGE, { auth_time: NOW_S * 1000 }, false],
    ['the future', MAX_AGE, { auth_time: NOW_S + 31 }, false],
    ['a clock that is a little ahead', MAX_AGE, { auth_time: NOW_S + 30 }, true],
    ['a negative time', MAX_AGE, { auth_time: -1e300 }, false],
    ['both', { acr: ['a'], maxAge: 1000 }, { acr: 'a', auth_time: NOW_S }, true],
    ['both, one missing', { acr: ['a'], maxAge: 1000 }, { acr: 'a' }, false],
  ])('%s', (_, spec, claims, expected) => {
    expect(holds(createStepUpRequirement(spec), { claims: claims as JsonObject })).toBe(expected);
  });

  test('throws at once for a requirement of nothing', () => {
    expect(() => createStepUpRequirement({})).toThrow();
  });

  test('names what would be sufficient', () => {
    const require = createStepUpRequirement({ acr: ['a', 'b'], maxAge: 900_500 });
    expect(thrownBy(() => require(checkContext(), verifiedToken()))).toMatchObject({
      code: 'step_up_required',
      details: { acrValues: 'a b', maxAgeS: 900 },
    });
  });
});
