import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createCheckHandler } from '../../src/fronts/envoy/check.js';
import { createGuard, type Gate, type GuardOptions } from '../../src/guard/guard.js';
import { createDecisionIds } from '../../src/authz/decision-id.js';
import { Denial } from '../../src/authz/denial.js';
import { createPipeline } from '../../src/authz/pipeline.js';
import { createRefusalBuilder } from '../../src/authz/refusal.js';
import type { CheckContext, Decision, Stage } from '../../src/authz/types.js';
import { checkRequestBytes, decodeAnswer, metadataOf } from '../support/envoy-messages.js';

const NO_CHANGES = { set: [], remove: [], removeQuery: [] };
const NO_DEADLINE = { policy: undefined, authority: undefined, deadlineMs: Infinity };

function gateOf(
  run: Stage['run'],
  upstreamOf: () => typeof NO_CHANGES = () => NO_CHANGES,
  onInternalError: (error: unknown) => void = () => undefined,
): Gate {
  return {
    pipeline: createPipeline({
      stages: [{ name: 'test', run }],
      upstreamOf,
      refusalOf: createRefusalBuilder({ dpop: undefined, failure: 'deny' }),
      metadataOf: (_ctx, reason) => ({ reason }),
      concluded: () => undefined,
      onInternalError,
    }),
  };
}

function handlerOf(gate: Gate, over: Partial<GuardOptions> = {}, maxMessageBytes = 64 * 1024) {
  const decisions: Decision[] = [];
  const guard = createGuard({
    gate: () => gate,
    concurrentChecks: () => 10,
    isOverloaded: () => false,
    observer: { decided: (decision) => decisions.push(decision) },
    onInternalError: () => undefined,
    nextId: createDecisionIds(randomBytes),
    clock: { now: () => 1_000_000 },
    stopwatch: () => 0,
    ...over,
  });
  const handler = createCheckHandler(guard, { maxMessageBytes: () => maxMessageBytes });
  return { guard, handler, decisions };
}

const httpOf = (bytes: Buffer | Promise<Buffer>): number => {
  if (bytes instanceof Promise) throw new Error('expected an answer at once');
  return decodeAnswer(bytes).denied_response?.status?.code ?? 200;
};

describe('createGuard()', () => {
  test('answers at once when nothing has to be waited for', () => {
    const { handler, decisions } = handlerOf(gateOf(() => undefined));
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(200);
    expect(decisions).toHaveLength(1);
  });

  test.each([
    [
      'a Denial',
      () => {
        throw new Denial('expired_token');
      },
      401,
    ],
    [
      'an Error',
      () => {
        throw new Error('boom');
      },
      500,
    ],
    [
      'a string',
      () => {
        throw 'boom' as unknown as Error;
      },
      500,
    ],
    [
      'undefined',
      () => {
        throw undefined as unknown as Error;
      },
      500,
    ],
  ])('turns %s that a stage throws into a denial', (_name, run, http) => {
    const { handler } = handlerOf(gateOf(run));
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(http);
  });

  test.each([
    ['a Denial', new Denial('keys_unavailable'), 503],
    ['an Error', new Error('boom'), 500],
  ])('turns %s that a stage rejects with into a denial', async (_name, error, http) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a Denial is what stages reject with
    const { handler } = handlerOf(gateOf(() => Promise.reject(error)));
    expect(httpOf(await handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(http);
  });

  test('denies when what goes upstream cannot be worked out', async () => {
    const broken = (): never => {
      throw new Error('boom');
    };
    expect(
      httpOf(handlerOf(gateOf(() => undefined, broken)).handler.check(checkRequestBytes(), NO_DEADLINE)),
    ).toBe(500);
    const later = handlerOf(gateOf(() => Promise.resolve(undefined), broken)).handler;
    expect(httpOf(await later.check(checkRequestBytes(), NO_DEADLINE))).toBe(500);
  });

  test('denies when the answer cannot be encoded', () => {
    const gate = gateOf(
      () => undefined,
      () => ({ ...NO_CHANGES, set: undefined as unknown as [] }),
    );
    expect(httpOf(handlerOf(gate).handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(500);
  });

  test('refuses a message over the limit with 413', () => {
    const { handler } = handlerOf(
      gateOf(() => undefined),
      {},
      10,
    );
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(413);
  });

  test('refuses while the process is overloaded', () => {
    const { handler, decisions } = handlerOf(
      gateOf(() => undefined),
      { isOverloaded: () => true },
    );
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(503);
    expect(decisions[0]).toMatchObject({ denial: { code: 'overloaded' } });
  });

  test('refuses what would have to wait beyond the bound, and nothing else', async () => {
    let release = (): void => undefined;
    const gate = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const slow = gateOf((ctx) => (ctx.request.path === '/slow' ? gate : undefined));
    const { guard, handler } = handlerOf(slow, { concurrentChecks: () => 1 });
    const first = handler.check(checkRequestBytes({ path: '/slow' }), NO_DEADLINE);
    expect(guard.waiting).toBe(1);
    expect(httpOf(handler.check(checkRequestBytes({ path: '/slow' }), NO_DEADLINE))).toBe(503);
    expect(httpOf(handler.check(checkRequestBytes({ path: '/fast' }), NO_DEADLINE))).toBe(200);
    release();
    expect(httpOf(await first)).toBe(200);
    expect(guard.waiting).toBe(0);
  });

  test('answers 503 before the deadline when no decision is reached', async () => {
    const { guard, handler, decisions } = handlerOf(gateOf(() => new Promise(() => undefined)));
    const answer = await handler.check(checkRequestBytes(), { ...NO_DEADLINE, deadlineMs: 1_000_020 });
    expect(httpOf(answer)).toBe(503);
    expect(decisions[0]).toMatchObject({ denial: { code: 'deadline_exceeded' } });
    expect(guard.waiting).toBe(0);
  });

  test('reports what was answered, and why, where the decision could not be encoded', () => {
    const errors: unknown[] = [];
    const unencodable = () => ({ ...NO_CHANGES, set: undefined as unknown as [] });
    const gate = gateOf(
      () => undefined,
      unencodable,
      (error) => errors.push(error),
    );
    const { handler, decisions } = handlerOf(gate);
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(500);
    expect(decisions).toMatchObject([{ kind: 'deny', denial: { code: 'internal_error' } }]);
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  test('reports an error of the decoder', () => {
    const errors: unknown[] = [];
    const gate = gateOf(
      () => undefined,
      () => NO_CHANGES,
      (error) => errors.push(error),
    );
    const { handler, decisions } = handlerOf(gate);
    expect(httpOf(handler.check(undefined as unknown as Buffer, NO_DEADLINE))).toBe(500);
    expect(decisions).toMatchObject([{ kind: 'deny', denial: { code: 'internal_error' } }]);
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  test('answers, and reports the error, where an observer throws', () => {
    const errors: unknown[] = [];
    const { handler } = handlerOf(
      gateOf(() => undefined),
      {
        observer: {
          decided: () => {
            throw new Error('the log is gone');
          },
        },
        onInternalError: (error) => errors.push(error),
      },
    );
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(200);
    expect(errors).toEqual([new Error('the log is gone')]);
  });

  test('marks a request as answered when its deadline passes or too many wait', async () => {
    const seen: CheckContext[] = [];
    const { handler } = handlerOf(
      gateOf((ctx) => {
        seen.push(ctx);
        return new Promise(() => undefined);
      }),
      { concurrentChecks: () => 1 },
    );
    const answer = handler.check(checkRequestBytes(), { ...NO_DEADLINE, deadlineMs: 1_000_020 });
    void handler.check(checkRequestBytes(), NO_DEADLINE);
    expect(seen.map(({ isAnswered }) => isAnswered)).toEqual([false, true]);
    await answer;
    expect(seen.map(({ isAnswered }) => isAnswered)).toEqual([true, true]);
  });

  test('gives every decision an id of its own, the same in metadata, body and report; cached answers included', () => {
    const { handler, decisions } = handlerOf(
      gateOf((ctx) => {
        if (ctx.request.path !== '/allowed') throw new Denial('expired_token');
        return undefined;
      }),
    );
    const ids = ['/a', '/a', '/allowed', '/allowed', '/a'].map((path, index) => {
      const bytes = handler.check(checkRequestBytes({ path }), NO_DEADLINE) as Buffer;
      const answer = decodeAnswer(bytes);
      const { id } = decisions[index]!.ctx;
      expect(metadataOf(answer).decision_id).toBe(id);
      if (path === '/a') {
        expect(JSON.parse(answer.denied_response!.body!)).toMatchObject({ decision_id: id });
      }
      return { id, bytes };
    });
    for (const { id } of ids) expect(id).toMatch(/^[\x21-\x7e]{8,128}$/);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(ids.length);
    // What was handed out before is not written to.
    for (const { id, bytes } of ids) expect(metadataOf(decodeAnswer(bytes)).decision_id).toBe(id);
  });

  test('runs a Check wholly under the gate it began with', async () => {
    let current = gateOf(() => Promise.resolve(undefined));
    const { handler } = handlerOf(current, { gate: () => current });
    const answer = handler.check(checkRequestBytes(), NO_DEADLINE);
    current = gateOf(() => {
      throw new Denial('no_route');
    });
    expect(httpOf(await answer)).toBe(200);
    expect(httpOf(handler.check(checkRequestBytes(), NO_DEADLINE))).toBe(403);
  });

  test('answers any bytes, and allows none that are not a request', () => {
    const { handler } = handlerOf(
      gateOf(() => {
        throw new Denial('missing_credential');
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const answer = decodeAnswer(handler.check(Buffer.from(bytes), NO_DEADLINE) as Buffer);
        expect(answer.status?.code).toBeGreaterThan(0);
        expect(answer.denied_response).toBeDefined();
      }),
    );
  });
});
