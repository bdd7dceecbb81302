/** Memory and handles of all processes of the gate over time, and whether they grow. */
import { childrenOf, openHandles, residentBytes } from '../lib/process.mjs';

const MIB = 1024 * 1024;

export class Watch {
  #gate;
  samples = [];

  constructor(gate) {
    this.#gate = gate;
  }

  async sample() {
    try {
      const pids = [this.#gate.pid, ...childrenOf(this.#gate.pid)];
      const text = await this.#gate.metrics();
      this.samples.push({
        atMs: Date.now(),
        processes: pids.length,
        residentMib: sum(pids.map(residentBytes)) / MIB,
        handles: sum(pids.map(openHandles)),
        heapMib: gauge(text, 'nodejs_heap_size_used_bytes') / MIB,
        activeHandles: gauge(text, 'nodejs_active_handles_total'),
        tokens: gauge(text, 'portcullis_token_cache_entries'),
      });
    } catch {
      // A worker ended between being listed and being read.
    }
  }

  /**
   * Whether something grows: the slope through the low points of the last part, when nobody is killed any more. Low points,
   * because what the collector has not collected yet is no leak.
   * @param {'residentMib' | 'heapMib' | 'handles'} what
   * @returns {{ from: number, to: number, perHour: number, grownPercent: number }}
   */
  trend(what, sinceMs) {
    const late = this.samples.filter(({ atMs, [what]: value }) => atMs >= sinceMs && Number.isFinite(value));
    const low = lowPoints(late, what, Math.max(2, Math.min(10, Math.floor(late.length / 3))));
    if (low.length < 2) return { from: NaN, to: NaN, perHour: NaN, grownPercent: NaN };
    const slope = theilSen(low);
    const spanMs = low.at(-1)[0] - low[0][0];
    const from = median(low.map(([atMs, value]) => value - slope * (atMs - low[0][0])));
    return {
      from,
      to: from + slope * spanMs,
      perHour: slope * 3_600_000,
      grownPercent: ((slope * spanMs) / from) * 100,
    };
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function gauge(text, name) {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return sum([...lines].map(([, value]) => Number(value)));
}

/** The lowest sample of each of so many equal stretches. */
function lowPoints(samples, what, stretches) {
  const length = samples.length / stretches;
  return Array.from({ length: stretches }, (_, i) =>
    samples.slice(Math.floor(i * length), Math.floor((i + 1) * length)),
  )
    .filter((part) => part.length > 0)
    .map((part) => part.reduce((low, one) => (one[what] < low[what] ? one : low)))
    .map((one) => [one.atMs, one[what]]);
}

/** Median of the slopes between all pairs: an outlier does not move it. */
function theilSen(points) {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)));
  return median(slopes);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
