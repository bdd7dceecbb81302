import { describe, expect, test } from '@jest/globals';
import { createContext } from '../../src/authz/pipeline.js';
import type { Decision } from '../../src/authz/types.js';
import { createRecentDenials, MAX_DENIALS, mergeDenials } from '../../src/observability/recent-denials.js';
import { authzRequest, deniedFor } from '../authz/contexts.js';

const clock = { nowMs: 1_700_000_000_000, now: () => clock.nowMs };
const denial = (path = '/orders'): Decision =>
  deniedFor(
    'expired_token',
    createContext(
      authzRequest({
        path,
        query: 'access_token=top-secret',
        headers: { authorization: 'Bearer top-secret' },
      }),
      0,
    ),
  );

describe('createRecentDenials()', () => {
  test('note() keeps what the decision line says, and never a credential', () => {
    const denials = createRecentDenials(clock);
    denials.note(denial());
    const [latest] = denials.latest(10);
    expect(latest).toMatchObject({
      time: 1_700_000_000,
      status: 401,
      reason: 'expired_token',
      path: '/orders',
    });
    expect(JSON.stringify(latest)).not.toContain('top-secret');
  });

  test('note() leaves allowed requests out', () => {
    const denials = createRecentDenials(clock);
    const ctx = createContext(authzRequest(), 0);
    const upstream = { set: [], remove: [], removeQuery: [] };
    denials.note({ kind: 'allow', ctx, upstream, responseHeaders: [], metadata: {} });
    expect(denials.latest(10)).toEqual([]);
  });

  test('latest() is newest first, and no more than are kept', () => {
    const denials = createRecentDenials(clock);
    for (let index = 0; index < MAX_DENIALS + 50; index++) {
      clock.nowMs += 1000;
      denials.note(denial(`/${index}`));
    }
    expect(denials.latest(2).map(({ path }) => path)).toEqual([
      `/${MAX_DENIALS + 49}`,
      `/${MAX_DENIALS + 48}`,
    ]);
    expect(denials.latest(10_000)).toHaveLength(MAX_DENIALS);
  });

  test('note() describes a few per second, however many there are', () => {
    const denials = createRecentDenials(clock);
    clock.nowMs += 1000;
    for (let index = 0; index < 1000; index++) denials.note(denial());
    const inOneSecond = denials.latest(MAX_DENIALS).length;
    expect(inOneSecond).toBeLessThan(50);
    clock.nowMs += 1000;
    denials.note(denial());
    expect(denials.latest(MAX_DENIALS)).toHaveLength(inOneSecond + 1);
  });
});

test('mergeDenials() puts several lists in one order', () => {
  const at = (time: number) => ({ time, status: 403 });
  expect(mergeDenials([[at(9), at(4)], [at(7)]], 2)).toEqual([at(9), at(7)]);
});
