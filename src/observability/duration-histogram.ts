/**
 * A histogram whose observation is an addition and a few comparisons. It happens once per Check, and prom-client's own
 * histogram looks its labels up each time. It is registered like any other metric.
 */
import type { MetricValueWithName } from 'prom-client';

/** Name, label and buckets. */
export interface DurationHistogramOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelName: string;
  /** All values that the label can have. */
  readonly labels: readonly L[];
  /** Upper bounds, seconds, ascending. */
  readonly buckets: readonly number[];
}

/** Counts of one label. */
interface Series {
  /** One more than there are bounds: the last is for values above all of them. */
  readonly counts: Float64Array;
  sumMs: number;
}

/** Durations by one label. */
export class DurationHistogram<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly boundsMs: readonly number[];
  private readonly series: Readonly<Record<L, Series>>;

  constructor(private readonly options: DurationHistogramOptions<L>) {
    this.name = options.name;
    this.help = options.help;
    this.boundsMs = options.buckets.map((seconds) => seconds * 1000);
    const size = options.buckets.length + 1;
    this.series = Object.fromEntries(
      options.labels.map((label) => [label, { counts: new Float64Array(size), sumMs: 0 }]),
    ) as Record<L, Series>;
  }

  /** @param durationMs milliseconds */
  observe(label: L, durationMs: number): void {
    const series = this.series[label];
    const { boundsMs } = this;
    let index = 0;
    while (index < boundsMs.length && durationMs > (boundsMs[index] as number)) index++;
    series.counts[index] = (series.counts[index] as number) + 1;
    series.sumMs += durationMs;
  }

  /** Called by the registry when it is read. */
  get(): Promise<object> {
    const values = this.options.labels.flatMap((label) => this.valuesOf(label));
    const { name, help, type, aggregator } = this;
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  private valuesOf(label: L): MetricValueWithName<string>[] {
    const { counts, sumMs } = this.series[label];
    const labels = { [this.options.labelName]: label };
    let total = 0;
    const buckets = [...this.options.buckets, '+Inf'].map((le, index) => {
      total += counts[index] as number;
      return { metricName: `${this.name}_bucket`, value: total, labels: { le, ...labels } };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, value: sumMs / 1000, labels },
      { metricName: `${this.name}_count`, value: total, labels },
    ];
  }
}
