import { describe, expect, test } from '@jest/globals';
import { createCredentialFinder } from '../../../src/authz/credentials.js';
import { createFindCredentialStage } from '../../../src/authz/stages/find-credential.js';
import { checkContext, denialOf, policyOf } from '../contexts.js';

const finder = createCredentialFinder({
  sources: [{ header: 'authorization' }],
  multiple: 'reject',
  maxTokenBytes: 100,
});
const stage = createFindCredentialStage(finder);
const optional = policyOf({ access: 'optional' });

describe('createFindCredentialStage()', () => {
  test('keeps what it finds', () => {
    const ctx = checkContext({ headers: { authorization: 'DPoP abc' } });
    expect(stage.run(ctx)).toBeUndefined();
    expect(ctx.credential).toEqual({
      scheme: 'dpop',
      token: 'abc',
      place: { kind: 'header', name: 'authorization' },
    });
  });

  test('throws missing_credential where one is required', () => {
    expect(denialOf(() => stage.run(checkContext()))).toBe('missing_credential');
  });

  test('allows none where it is optional', () => {
    expect(stage.run(checkContext({ policy: optional }))).toBe('done');
  });

  test.each([
    ['malformed', 'Bearer', 'malformed_credential'],
    ['two', 'Bearer a,Bearer b', 'multiple_credentials'],
  ])('refuses a bad one where it is optional: %s', (_, authorization, code) => {
    const ctx = checkContext({ policy: optional, headers: { authorization } });
    expect(denialOf(() => stage.run(ctx))).toBe(code);
  });
});
