import { describe, expect, test } from '@jest/globals';
import { createIdentityHeaders } from '../../../src/authz/identity/headers.js';
import { denialOf, verifiedToken } from '../contexts.js';

const headers = createIdentityHeaders({
  'X-User-Id': 'sub',
  'x-user-roles': { claim: 'realm_access.roles', as: 'csv' },
  'x-user-org': { claim: 'org', as: 'json' },
});

describe('createIdentityHeaders()', () => {
  test('makes headers of the claims that are there', () => {
    const claims = { sub: 'alice', realm_access: { roles: ['a', 'b'] }, org: { id: 1 } };
    expect(headers.of(verifiedToken({ claims }))).toEqual([
      ['x-user-id', 'alice'],
      ['x-user-roles', 'a,b'],
      ['x-user-org', '{"id":1}'],
    ]);
  });

  test('leaves out what is absent, null or empty', () => {
    expect(headers.of(verifiedToken({ claims: { sub: '', org: null } }))).toEqual([]);
  });

  test('knows its names in lower case', () => {
    expect(headers.names).toEqual(['x-user-id', 'x-user-roles', 'x-user-org']);
  });

  test('gives the same list for the same token', () => {
    const token = verifiedToken({ claims: { sub: 'alice' } });
    expect(headers.of(token)).toBe(headers.of(token));
  });

  test('throws invalid_claims where all together are too much', () => {
    const spec = Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`x-a-${i}`, 'a']));
    const token = verifiedToken({ claims: { a: 'x'.repeat(8000) } });
    expect(denialOf(() => createIdentityHeaders(spec).of(token))).toBe('invalid_claims');
  });

  test('gives the same claims as metadata, unchanged', () => {
    const claims = { sub: 'J\u00f6rg', realm_access: { roles: ['a'] }, other: 1 };
    expect(headers.metadataOf(verifiedToken({ claims }))).toEqual({
      sub: 'J\u00f6rg',
      'realm_access.roles': ['a'],
    });
  });
});
