/**
 * The metrics of the product in Prometheus' form. Labels come from configuration and code, never from a request, so
 * their number is bounded by the configuration.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { allowReasonOf } from '../authz/pipeline.js';
import type { Decision, GateMetrics } from '../authz/types.js';
import { REVOCATION_SOURCES, type RevocationSource } from '../revocation/revocation.js';
import { CounterTable } from './counter-table.js';
import { DurationHistogram } from './duration-histogram.js';
import { AGGREGATORS, METRICS, type MetricName } from './metric-catalogue.js';
import type { ConfigState, KeySetRow, MeasuredState, Metrics } from './metric-ports.js';
import { createTransportMetrics, type TransportMetrics } from './transport-metrics.js';

/** Upper bounds in seconds: a decision takes microseconds, a wait for a dependency milliseconds. */
const DURATION_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

const PREFIX = 'portcullis_';

const OUTCOMES = ['allow', 'deny', 'error'] as const;
/** How a Check ended; error: the fault is ours or a dependency's. */
type Outcome = (typeof OUTCOMES)[number];

/**
 * Creates the metrics of a process, or of one gate within it.
 *
 * @param version of the product, for build_info
 * @param options.ofProcess false: memory, CPU time and the event loop are the host's own business. Default: true
 */
export function createMetrics(
  version: string,
  { ofProcess = true }: { readonly ofProcess?: boolean } = {},
): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  return new PrometheusMetrics(registry, version);
}

class PrometheusMetrics implements Metrics {
  readonly gate: GateMetrics;
  readonly transport: TransportMetrics;
  private readonly checks: CounterTable;
  private readonly duration: DurationHistogram<Outcome>;
  private readonly fetches: Counter;
  private readonly introspections: Counter;
  private readonly introspectionDuration: Histogram;
  private readonly reloads: Counter;
  private readonly revocations: Counter;
  private readonly securityEvents: Counter;
  private readonly clientKeyFiles: Counter;
  private readonly tokenRequests: Counter;
  private readonly adminActions: Counter;
  private state: MeasuredState | undefined;
  private readRevocations: (() => { readonly size: number; readonly available: boolean }) | undefined;
  private config: ConfigState | undefined;

  constructor(
    readonly registry: Registry,
    version: string,
  ) {
    this.checks = this.table('checks_total');
    this.duration = new DurationHistogram({
      name: `${PREFIX}check_duration_seconds`,
      help: METRICS.check_duration_seconds.help,
      labelName: 'decision',
      labels: OUTCOMES,
      buckets: DURATION_BUCKETS,
    });
    registry.registerMetric(this.duration as unknown as Metric);
    this.fetches = new Counter(this.describe('jwks_fetches_total'));
    this.introspections = new Counter(this.describe('introspections_total'));
    this.introspectionDuration = new Histogram({
      ...this.describe('introspection_duration_seconds'),
      buckets: DURATION_BUCKETS,
    });
    this.reloads = new Counter(this.describe('config_reloads_total'));
    for (const outcome of ['success', 'failure']) this.reloads.inc({ outcome }, 0);
    this.clientKeyFiles = new Counter(this.describe('client_key_files_refused_total'));
    this.tokenRequests = new Counter(this.describe('token_requests_total'));
    this.adminActions = new Counter(this.describe('admin_actions_total'));
    this.revocations = new Counter(this.describe('revocations_total'));
    this.securityEvents = new Counter(this.describe('security_events_total'));
    for (const source of REVOCATION_SOURCES) this.revocations.inc({ source }, 0);
    new Gauge(this.describe('build_info')).set({ version, node: process.version }, 1);
    this.gate = this.gatePort();
    this.transport = createTransportMetrics(registry);
    this.gauges();
  }

  decided(decision: Decision, durationMs: number): void {
    const policy = decision.ctx.match?.policy.name ?? 'none';
    const outcome = outcomeOf(decision);
    this.checks.add(outcome, reasonOf(decision), policy);
    this.duration.observe(outcome, durationMs);
  }

  jwksFetched(issuer: string, outcome: string): void {
    this.fetches.inc({ issuer, outcome });
  }

  introspected(issuer: string, outcome: 'active' | 'inactive' | 'failed', durationMs: number): void {
    this.introspections.inc({ issuer, outcome });
    this.introspectionDuration.observe({ issuer }, durationMs / 1000);
  }

  reloaded(outcome: 'success' | 'failure'): void {
    this.reloads.inc({ outcome });
  }

  observeRevocations(read: () => { readonly size: number; readonly available: boolean }): void {
    this.readRevocations = read;
  }

  securityEvent(issuer: string, event: string): void {
    this.securityEvents.inc({ issuer, event });
  }

  revoked(source: RevocationSource): void {
    this.revocations.inc({ source });
  }

  clientKeyFileRefused(): void {
    this.clientKeyFiles.inc();
  }

  tokenRequest(grant: string, outcome: string): void {
    this.tokenRequests.inc({ grant, outcome });
  }

  adminAction(action: string, outcome: string): void {
    this.adminActions.inc({ action, outcome });
  }

  observe(state: MeasuredState): void {
    this.state = state;
  }

  observeConfig(state: ConfigState): void {
    this.config = state;
  }

  private gatePort(): GateMetrics {
    const cache = this.table('token_cache_total');
    const proofs = this.table('dpop_proofs_total');
    const shadow = this.table('shadow_total');
    return {
      tokenCache: (outcome) => cache.add(outcome),
      dpopProof: (outcome) => proofs.add(outcome),
      shadow: (policy, name, live, candidate) => shadow.add(policy, name, live, candidate),
    };
  }

  private gauges(): void {
    const perIssuer = (
      name: 'jwks_age_seconds' | 'jwks_keys',
      pick: (row: KeySetRow) => number | undefined,
    ): void => {
      this.gauge(name, (gauge) => {
        gauge.reset();
        for (const row of this.state?.keySets() ?? []) {
          const value = pick(row);
          if (value !== undefined) gauge.set({ issuer: row.issuer }, value);
        }
      });
    };
    perIssuer('jwks_age_seconds', (row) => row.ageSeconds);
    perIssuer('jwks_keys', (row) => row.keys);
    this.gauge('replay_entries', (gauge) => gauge.set(this.state?.replayEntries() ?? 0));
    this.total('log_lines_dropped_total', () => this.state?.logLinesDropped() ?? 0);
    this.total('trace_spans_sent_total', () => this.state?.spans?.sent ?? 0);
    this.total('trace_spans_dropped_total', () => this.state?.spans?.dropped ?? 0);
    this.total('audit_lines_lost_total', () => this.state?.auditLinesLost() ?? 0);
    this.gauge('token_cache_entries', (gauge) => gauge.set(this.state?.tokenCacheEntries() ?? 0));
    this.gauge('revocations', (gauge) => gauge.set(this.readRevocations?.().size ?? 0));
    this.gauge('revocation_store_available', (gauge) =>
      gauge.set(this.readRevocations?.().available === true ? 1 : 0),
    );
    this.gauge('config_last_reload_success_timestamp_seconds', (gauge) =>
      gauge.set(this.config?.loadedAtS ?? 0),
    );
    this.gauge('config_last_reload_successful', (gauge) =>
      gauge.set(this.config?.hasFailed === true ? 0 : 1),
    );
    this.gauge('checks_waiting', (gauge) => gauge.set(this.state?.checksWaiting() ?? 0));
  }

  private gauge(name: MetricName, read: (gauge: Gauge) => void): void {
    new Gauge({
      ...this.describe(name),
      collect() {
        read(this);
      },
    });
  }

  /** A counter whose value is kept elsewhere. */
  private total(name: MetricName, read: () => number): void {
    new Counter({
      ...this.describe(name),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private table(name: MetricName): CounterTable {
    const counter: Counter = new Counter({ ...this.describe(name), collect: () => table.flush() });
    const table = new CounterTable(counter);
    return table;
  }

  private describe(name: MetricName) {
    const { help, labels } = METRICS[name];
    return {
      name: `${PREFIX}${name}`,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      aggregator: AGGREGATORS[name] ?? ('sum' as const),
    };
  }
}

/** allow, deny, or error where the fault is ours or a dependency's. */
export function outcomeOf(decision: Decision): Outcome {
  if (decision.kind === 'allow') return 'allow';
  return decision.denial.entry.http >= 500 ? 'error' : 'deny';
}

/** The denial code, or why it was allowed. */
export function reasonOf(decision: Decision): string {
  return decision.kind === 'allow' ? allowReasonOf(decision.ctx) : decision.denial.code;
}
