import { describe, expect, test } from '@jest/globals';
import { Denial } from '../../src/authz/denial.js';
import { evaluateShadow } from '../../src/authz/shadow.js';
import type { CheckContext, Stage } from '../../src/authz/types.js';
import { checkContext, policyOf, verifiedToken } from './contexts.js';

const stage = (run: (ctx: CheckContext) => unknown): Stage => ({ name: 'test', run: run as Stage['run'] });
const pass = stage(() => undefined);
const deny = stage(() => {
  throw new Denial('insufficient_scope');
});
const candidate = policyOf({ name: 'candidate' });

describe('evaluateShadow()', () => {
  test.each<[string, Stage[], string]>([
    ['no stages', [], 'allow'],
    ['all pass', [pass, pass], 'allow'],
    ['allowed early', [stage(() => 'done'), deny], 'allow'],
    ['one denies', [pass, deny], 'deny'],
    [
      'one fails',
      [
        stage(() => {
          throw new Error('x');
        }),
      ],
      'deny',
    ],
  ])('%s', (_, stages, expected) => {
    expect(evaluateShadow(checkContext(), candidate, stages)).toBe(expected);
  });

  test.each<[string, Stage[], string]>([
    ['passes later', [stage(async () => undefined), pass], 'allow'],
    ['allowed later', [stage(async () => 'done'), deny], 'allow'],
    ['denies later', [stage(async () => undefined), deny], 'deny'],
    [
      'rejects',
      [
        stage(async () => {
          throw new Denial('unknown_key');
        }),
      ],
      'deny',
    ],
    ['waits twice', [stage(async () => undefined), stage(async () => undefined), deny], 'deny'],
  ])('waits where a stage does: %s', async (_, stages, expected) => {
    await expect(evaluateShadow(checkContext(), candidate, stages)).resolves.toBe(expected);
  });

  test('runs under the candidate, and leaves the live context alone', () => {
    const live = checkContext({ path: '/a', params: { id: '1' } });
    const token = verifiedToken();
    live.token = token;
    const seen: unknown[] = [];
    const meddle = stage((ctx) => {
      seen.push(
        ctx.match?.policy.name,
        ctx.match?.params,
        ctx.token,
        ctx.request === live.request,
        ctx.nowMs,
      );
      ctx.token = undefined;
      ctx.identityToken = 'x';
      ctx.responseHeaders.push(['dpop-nonce', 'n']);
    });
    expect(evaluateShadow(live, candidate, [meddle])).toBe('allow');
    expect(seen).toEqual(['candidate', { id: '1' }, undefined, true, live.nowMs]);
    expect(live).toMatchObject({ token, identityToken: undefined, responseHeaders: [] });
    expect(live.match?.policy.name).toBe('default');
  });
});
