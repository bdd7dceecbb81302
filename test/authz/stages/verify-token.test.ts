import { describe, expect, test } from '@jest/globals';
import { createVerifyTokenStage } from '../../../src/authz/stages/verify-token.js';
import type { CheckContext } from '../../../src/authz/types.js';
import { denialOf } from '../../support/denials.js';
import { fakeContext } from '../../support/fake-context.js';
import { testVerifier, tokenIssuer } from '../../support/token-issuers.js';
import { mintToken, TestIssuerKeys } from '../../support/tokens.js';

const keys = new TestIssuerKeys();
const stage = createVerifyTokenStage(testVerifier([tokenIssuer({ keys })]).verifier);

function withToken(token: string, ctx = fakeContext()): CheckContext {
  ctx.credential = { scheme: 'bearer', token, place: { kind: 'header', name: 'authorization' } };
  return ctx;
}

describe('createVerifyTokenStage()', () => {
  test('writes the verified token, at once where the keys are in hand', () => {
    const ctx = withToken(mintToken());
    expect(stage.run(ctx)).toBeUndefined();
    expect(ctx.token?.subject).toBe('user-1');
  });

  test('waits where the keys have to be waited for', async () => {
    const ctx = withToken(mintToken());
    keys.slow = true;
    const running = stage.run(ctx);
    expect(running).toBeInstanceOf(Promise);
    expect(ctx.token).toBeUndefined();
    keys.release();
    keys.slow = false;
    expect(await running).toBeUndefined();
    expect(ctx.token?.subject).toBe('user-1');
  });

  test('refuses a bad token, where access is optional too', async () => {
    for (const access of ['optional', 'required'] as const) {
      const ctx = withToken('bad', fakeContext({}, { access }));
      expect(await denialOf(() => stage.run(ctx))).toBe('malformed_token');
      expect(ctx.token).toBeUndefined();
    }
  });

  test('lets a request without a credential on only where access is optional', async () => {
    expect(await denialOf(() => stage.run(fakeContext({}, { access: 'optional' })))).toBeUndefined();
    expect(await denialOf(() => stage.run(fakeContext({}, { access: 'required' })))).toBe(
      'missing_credential',
    );
    expect(await denialOf(() => stage.run(fakeContext({}, { access: 'anonymous' })))).toBe(
      'missing_credential',
    );
    const unmatched = fakeContext();
    unmatched.match = undefined;
    expect(await denialOf(() => stage.run(unmatched))).toBe('missing_credential');
  });
});
