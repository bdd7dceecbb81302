import type { Counter } from 'prom-client';

/** Counts by labels, without a look-up in the registry per call. */
export class CounterTable {
  private readonly cells = new Map<string, { labels: readonly string[]; pending: number }>();

  constructor(private readonly counter: Counter) {}

  /** Adds one. The labels are joined for the key, so a label must not contain a line break; names never do. */
  add(...labels: readonly string[]): void {
    const key = labels.length === 1 ? (labels[0] as string) : labels.join('\n');
    const cell = this.cells.get(key);
    if (cell === undefined) this.cells.set(key, { labels, pending: 1 });
    else cell.pending++;
  }

  /** Moves what was counted to the registry; called when it is read. */
  flush(): void {
    for (const cell of this.cells.values()) {
      if (cell.pending === 0) continue;
      this.counter.labels(...cell.labels).inc(cell.pending);
      cell.pending = 0;
    }
  }
}
