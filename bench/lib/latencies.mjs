/** Every latency of a run, so that a quantile is a measured value and not a bucket's edge. */
export class Latencies {
  #values;
  #length = 0;
  #sorted = false;

  /** @param {number} capacity how many there will be; grows when there are more */
  constructor(capacity = 1024) {
    this.#values = new Float64Array(Math.max(16, capacity));
  }

  add(ms) {
    if (this.#length === this.#values.length) {
      const wider = new Float64Array(this.#length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = ms;
    this.#sorted = false;
  }

  /** @param {Latencies[]} parts */
  static merge(parts) {
    const all = new Latencies(parts.reduce((sum, part) => sum + part.count, 0));
    for (const part of parts) for (let i = 0; i < part.count; i++) all.add(part.#values[i]);
    return all;
  }

  get count() {
    return this.#length;
  }

  /** @param {number} q 0 to 1 @returns {number} milliseconds; NaN when nothing was measured */
  quantile(q) {
    if (this.#length === 0) return NaN;
    const values = this.#values.subarray(0, this.#length);
    if (!this.#sorted) values.sort();
    this.#sorted = true;
    return values[Math.min(this.#length - 1, Math.floor(q * this.#length))];
  }

  /** p50, p99 and p99.9, milliseconds. */
  summary() {
    return { p50: this.quantile(0.5), p99: this.quantile(0.99), p999: this.quantile(0.999) };
  }
}

/** The middle of some numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
