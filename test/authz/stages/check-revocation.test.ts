import { describe, expect, test } from '@jest/globals';
import { createCheckRevocationStage } from '../../../src/authz/stages/check-revocation.js';
import { denialOf } from '../../support/denials.js';
import { fakeContext } from '../../support/fake-context.js';
import { verifiedToken } from '../contexts.js';

interface Known {
  readonly revoked?: boolean;
  readonly staleForMs?: number;
  readonly onUnavailable?: 'deny' | 'allow';
  readonly access?: 'optional' | 'required';
}

function outcome({ revoked = false, staleForMs = 0, onUnavailable = 'deny', access = 'required' }: Known) {
  const ctx = fakeContext({}, { access });
  ctx.token = verifiedToken();
  const stage = createCheckRevocationStage({
    revocations: { isRevoked: () => revoked, staleForMs: () => staleForMs },
    maxStaleMs: 1000,
    onUnavailable,
  });
  return denialOf(() => stage.run(ctx));
}

describe('createCheckRevocationStage()', () => {
  test.each<[string, Known, string | undefined]>([
    ['a token that is not revoked', {}, undefined],
    ['a revoked one', { revoked: true }, 'revoked_token'],
    ['a revoked one where access is optional', { revoked: true, access: 'optional' }, 'revoked_token'],
    ['one, while the store is away for a short time', { staleForMs: 1000 }, undefined],
    ['one, while the store is away for long', { staleForMs: 1001 }, 'revocation_unavailable'],
    ['one, before any state was learnt', { staleForMs: Infinity }, 'revocation_unavailable'],
    [
      'one, while the store is away, as configured',
      { staleForMs: Infinity, onUnavailable: 'allow' },
      undefined,
    ],
    [
      'a revoked one, while the store is away',
      { revoked: true, staleForMs: Infinity, onUnavailable: 'allow' },
      'revoked_token',
    ],
  ])('judges %s', async (_, known, expected) => {
    expect(await outcome(known)).toBe(expected);
  });

  test('lets a request without a token on', async () => {
    const stage = createCheckRevocationStage({
      revocations: { isRevoked: () => true, staleForMs: () => Infinity },
      maxStaleMs: 0,
      onUnavailable: 'deny',
    });
    expect(await denialOf(() => stage.run(fakeContext({}, { access: 'optional' })))).toBeUndefined();
  });
});
