import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { everyInterval } from '../guard/overload.js';

/**
 * How far the heap may grow between two full collections. Each of them walks all that is live, so a small heap that is
 * collected for every few megabytes costs a Check a third of what it costs; a large one that may grow to four times of
 * itself, as V8 lets it, holds 310 MB with 100,000 cached tokens where 190 are enough. So the heap has room up to a fixed
 * size, and grows by a fifth at a time beyond it (docs/decisions/0004-what-is-kept-of-a-token.md).
 */
const ROOM_BYTES = 64 * 1024 * 1024;
const LEAST_PERCENT = 20;
/** V8's own bound: four times of what is live. */
const MOST_PERCENT = 300;

const SAMPLE_EVERY_MS = 1000;
/** The least of so many samples is near what is live: the heap is collected every few seconds under load. */
const SAMPLES = 8;

/** What the bound works on; Node's own where nothing else is given. */
export interface HeapControls {
  /** Bytes of the heap in use, live or not. */
  readonly usedBytes: () => number;
  readonly setFlag: (flag: string) => void;
  /** Calls `tick` every `everyMs` milliseconds; returns a function that stops it. */
  readonly every: (everyMs: number, tick: () => void) => () => void;
}

const NODE_HEAP: HeapControls = {
  usedBytes: () => getHeapStatistics().used_heap_size,
  setFlag: setFlagsFromString,
  every: everyInterval,
};

/**
 * How much may be added to a heap before it is collected.
 *
 * @param liveBytes what is live of it
 * @returns percent of that
 */
export function heapGrowthPercent(liveBytes: number): number {
  const percent = Math.round((ROOM_BYTES / Math.max(1, liveBytes) - 1) * 100);
  return Math.min(MOST_PERCENT, Math.max(LEAST_PERCENT, percent));
}

/**
 * Keeps the memory of this process near what it needs. To be called before there is much of it.
 *
 * @returns a function that leaves the bound as it is from then on
 */
export function boundHeapGrowth({ usedBytes, setFlag, every }: HeapControls = NODE_HEAP): () => void {
  const samples: number[] = [];
  let inForce: number | undefined;
  const adapt = (): void => {
    samples.push(usedBytes());
    if (samples.length > SAMPLES) samples.shift();
    const percent = heapGrowthPercent(Math.min(...samples));
    if (percent === inForce) return;
    inForce = percent;
    setFlag(`--heap-growing-percent=${percent}`);
  };
  adapt();
  return every(SAMPLE_EVERY_MS, adapt);
}
