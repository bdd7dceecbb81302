import { Counter, Gauge, type Registry } from 'prom-client';
import { METRICS, type MetricName } from './metric-catalogue.js';

/** What the lean transport reports. */
export interface TransportMetrics {
  /**
   * The transport is in use.
   *
   * @param connections how many are open
   * @param reasons all that `cut` is called with: each has its row from the start, so that a first cut is an increase
   */
  opened(connections: () => number, reasons: readonly string[]): void;
  /** @param reason one of them */
  cut(reason: string): void;
}

/** Its metrics, which stay 0 where another transport is used. */
export function createTransportMetrics(registry: Registry): TransportMetrics {
  let read = (): number => 0;
  const cuts = new Counter(describe(registry, 'transport_cuts_total'));
  new Gauge({
    ...describe(registry, 'transport_connections'),
    collect() {
      this.set(read());
    },
  });
  return {
    opened: (connections, reasons) => {
      read = connections;
      for (const reason of reasons) cuts.inc({ reason }, 0);
    },
    cut: (reason) => cuts.inc({ reason }),
  };
}

function describe(registry: Registry, name: MetricName) {
  const { help, labels } = METRICS[name];
  return { name: `portcullis_${name}`, help, labelNames: [...labels], registers: [registry] };
}
