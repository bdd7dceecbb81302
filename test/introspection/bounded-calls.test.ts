import { describe, expect, test } from '@jest/globals';
import { createBoundedCalls, TooManyCallsError } from '../../src/introspection/bounded-calls.js';
import { FakeTime } from '../support/fake-time.js';

function setUp(concurrency: number, maxWaiting: number) {
  const time = new FakeTime();
  const bounded = createBoundedCalls({ concurrency, maxWaiting, maxWaitMs: 1000, scheduler: time });
  const started: (() => void)[] = [];
  const run = (): Promise<void> => bounded(() => new Promise<void>((resolve) => started.push(resolve)));
  return { time, run, started };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('createBoundedCalls()', () => {
  test('runs so many at once, and the others in turn', async () => {
    const { run, started } = setUp(2, 10);
    const calls = [run(), run(), run()];
    await turn();
    expect(started).toHaveLength(2);
    started[0]!();
    await turn();
    expect(started).toHaveLength(3);
    for (const end of started) end();
    await Promise.all(calls);
  });

  test('refuses at once when too many wait', async () => {
    const { run } = setUp(1, 1);
    void run();
    void run().catch(() => undefined);
    await expect(run()).rejects.toThrow(TooManyCallsError);
  });

  test('refuses whoever waited too long, and gives the place to the next', async () => {
    const { time, run, started } = setUp(1, 5);
    const first = run();
    const late = run();
    late.catch(() => undefined);
    await time.advance(1000);
    await expect(late).rejects.toThrow(TooManyCallsError);
    started[0]!();
    await first;
    const next = run();
    await turn();
    expect(started).toHaveLength(2);
    started[1]!();
    await next;
    expect(time.pending).toEqual([]);
  });

  test('a call that fails gives its place back', async () => {
    const bounded = createBoundedCalls({
      concurrency: 1,
      maxWaiting: 1,
      maxWaitMs: 10,
      scheduler: new FakeTime(),
    });
    await expect(bounded(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await bounded(() => Promise.resolve(1))).toBe(1);
  });
});
