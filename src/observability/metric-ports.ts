/** What the product reports to its metrics, and what they read of it. */
import type { Registry } from 'prom-client';
import type { Decision, GateMetrics } from '../authz/types.js';
import type { RevocationSource } from '../revocation/revocation.js';
import type { TransportMetrics } from './transport-metrics.js';

/** What is known of one issuer's keys. */
export interface KeySetRow {
  readonly issuer: string;
  readonly ageSeconds: number | undefined;
  readonly keys: number;
}

/** Values that are read when Prometheus scrapes. */
export interface MeasuredState {
  /** By issuer: seconds since the set was fetched, and usable keys; undefined age: no set. */
  keySets(): Iterable<KeySetRow>;
  replayEntries(): number | undefined;
  tokenCacheEntries(): number;
  checksWaiting(): number;
  logLinesDropped(): number;
  auditLinesLost(): number;
  /** Absent: tracing is off. */
  readonly spans?: { readonly sent: number; readonly dropped: number } | undefined;
}

/** What is known of the configuration in force. */
export interface ConfigState {
  /** Seconds since the epoch. */
  readonly loadedAtS: number;
  /** Did the latest reload fail? */
  readonly hasFailed: boolean;
}

/** The registry and the ports that the rest of the product reports to. */
export interface Metrics {
  readonly registry: Registry;
  readonly gate: GateMetrics;
  readonly transport: TransportMetrics;
  decided(decision: Decision, durationMs: number): void;
  jwksFetched(issuer: string, outcome: string): void;
  /** @param durationMs of the call, milliseconds */
  introspected(issuer: string, outcome: 'active' | 'inactive' | 'failed', durationMs: number): void;
  reloaded(outcome: 'success' | 'failure'): void;
  revoked(source: RevocationSource): void;
  /** @param event a known event, or `unknown` */
  securityEvent(issuer: string, event: string): void;
  /** Sets where the revocation store's state is read, in the process that owns it. */
  observeRevocations(read: () => { readonly size: number; readonly available: boolean }): void;
  clientKeyFileRefused(): void;
  tokenRequest(grant: string, outcome: string): void;
  adminAction(action: string, outcome: string): void;
  /** Sets where the gauges of reloads are read, in the process that reloads. */
  observeConfig(state: ConfigState): void;
  /** Sets where gauges are read; the last caller wins. */
  observe(state: MeasuredState): void;
}
