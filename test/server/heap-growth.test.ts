import { describe, expect, test } from '@jest/globals';
import { boundHeapGrowth, heapGrowthPercent } from '../../src/server/heap-growth.js';

const MB = 1024 * 1024;

describe('heapGrowthPercent()', () => {
  test.each([
    ['an empty heap gets no more than V8 gives', 0, 300],
    ['a small heap has room up to a fixed size', 32 * MB, 100],
    ['a large heap grows by a fifth', 64 * MB, 20],
    ['a heap of gigabytes as well', 4096 * MB, 20],
  ])('heapGrowthPercent() %s', (_name, live, percent) => {
    expect(heapGrowthPercent(live)).toBe(percent);
  });
});

describe('boundHeapGrowth()', () => {
  function start(usedMb: number) {
    const flags: string[] = [];
    const heap = { usedMb, tick: (): void => undefined, stopped: false };
    const stop = boundHeapGrowth({
      usedBytes: () => heap.usedMb * MB,
      setFlag: (flag) => void flags.push(flag),
      every: (_ms, tick) => {
        heap.tick = tick;
        return () => void (heap.stopped = true);
      },
    });
    return { flags, heap, stop };
  }

  test('boundHeapGrowth() sets the bound at once', () => {
    expect(start(32).flags).toEqual(['--heap-growing-percent=100']);
  });

  test('boundHeapGrowth() takes what is used at a peak for garbage', () => {
    const { flags, heap } = start(32);
    heap.usedMb = 60;
    for (let i = 0; i < 7; i++) heap.tick();
    expect(flags).toHaveLength(1);
  });

  test('boundHeapGrowth() takes what stays for live, and narrows the bound', () => {
    const { flags, heap } = start(32);
    heap.usedMb = 200;
    for (let i = 0; i < 8; i++) heap.tick();
    expect(flags.at(-1)).toBe('--heap-growing-percent=20');
  });

  test('boundHeapGrowth() widens the bound once the heap is small again', () => {
    const { flags, heap } = start(200);
    heap.usedMb = 32;
    heap.tick();
    expect(flags).toEqual(['--heap-growing-percent=20', '--heap-growing-percent=100']);
  });

  test('boundHeapGrowth() can be stopped', () => {
    const { heap, stop } = start(32);
    stop();
    expect(heap.stopped).toBe(true);
  });
});
