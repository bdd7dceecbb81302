import type { Aggregator } from 'prom-client';

/** Every metric of the product, with its labels; the table in docs/metrics.md is held to it. */
export const METRICS = {
  checks_total: { type: 'counter', help: 'Checks answered', labels: ['decision', 'reason', 'policy'] },
  check_duration_seconds: { type: 'histogram', help: 'Time to answer a Check', labels: ['decision'] },
  jwks_fetches_total: { type: 'counter', help: 'Fetches of key sets', labels: ['issuer', 'outcome'] },
  jwks_age_seconds: { type: 'gauge', help: 'Age of the key set in use', labels: ['issuer'] },
  jwks_keys: { type: 'gauge', help: 'Usable keys of the issuer', labels: ['issuer'] },
  client_key_files_refused_total: {
    type: 'counter',
    help: 'Files of client keys that were not used; their last good content was',
    labels: [],
  },
  token_cache_total: { type: 'counter', help: 'Look-ups of verified tokens', labels: ['outcome'] },
  token_cache_entries: { type: 'gauge', help: 'Verified tokens that are kept', labels: [] },
  introspections_total: {
    type: 'counter',
    help: 'Calls to introspection endpoints',
    labels: ['issuer', 'outcome'],
  },
  introspection_duration_seconds: {
    type: 'histogram',
    help: 'Time of a call to an introspection endpoint',
    labels: ['issuer'],
  },
  shadow_total: {
    type: 'counter',
    help: 'Shadow policies evaluated',
    labels: ['policy', 'shadow', 'live', 'candidate'],
  },
  dpop_proofs_total: { type: 'counter', help: 'DPoP proofs judged', labels: ['outcome'] },
  replay_entries: { type: 'gauge', help: 'Spent proofs that are remembered in memory', labels: [] },
  revocations: { type: 'gauge', help: 'Revocations that are held', labels: [] },
  revocations_total: { type: 'counter', help: 'Revocations made here, by who asked', labels: ['source'] },
  security_events_total: {
    type: 'counter',
    help: 'Security events taken (CAEP, RISC); unknown ones have no effect',
    labels: ['issuer', 'event'],
  },
  revocation_store_available: { type: 'gauge', help: '1: the revocation store answers', labels: [] },
  token_requests_total: {
    type: 'counter',
    help: 'Requests to the token endpoint; outcome is issued or the error',
    labels: ['grant', 'outcome'],
  },
  admin_actions_total: {
    type: 'counter',
    help: 'Requests to the admin API; outcome: ok, denied, refused, failed',
    labels: ['action', 'outcome'],
  },
  checks_waiting: { type: 'gauge', help: 'Checks that wait for a dependency', labels: [] },
  transport_connections: {
    type: 'gauge',
    help: 'Open connections of the gRPC port, with server.transport: lean',
    labels: [],
  },
  transport_cuts_total: {
    type: 'counter',
    help: 'Connections of the gRPC port that were cut or not taken, with server.transport: lean',
    labels: ['reason'],
  },
  log_lines_dropped_total: {
    type: 'counter',
    help: 'Log lines given up because their reader did not keep up',
    labels: [],
  },
  audit_lines_lost_total: {
    type: 'counter',
    help: 'Audit lines given up because they could not be written',
    labels: [],
  },
  trace_spans_sent_total: { type: 'counter', help: 'Spans that the collector took', labels: [] },
  trace_spans_dropped_total: {
    type: 'counter',
    help: 'Spans given up because the collector did not take them',
    labels: [],
  },
  config_reloads_total: { type: 'counter', help: 'Configuration reloads', labels: ['outcome'] },
  config_last_reload_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the configuration in force was loaded',
    labels: [],
  },
  config_last_reload_successful: {
    type: 'gauge',
    help: '0: the latest reload failed, and an older configuration is in force',
    labels: [],
  },
  build_info: { type: 'gauge', help: 'What is running', labels: ['version', 'node'] },
} as const satisfies Record<string, { type: string; help: string; labels: readonly string[] }>;

/** A metric, without the prefix. */
export type MetricName = keyof typeof METRICS;

/** How the values of several workers are combined; all others are added up. */
export const AGGREGATORS: Readonly<Partial<Record<MetricName, Aggregator>>> = {
  jwks_age_seconds: 'max',
  jwks_keys: 'max',
  build_info: 'first',
  // One process knows of reloads; the others say 0 and 1.
  config_last_reload_success_timestamp_seconds: 'max',
  config_last_reload_successful: 'min',
  revocations: 'max',
  revocation_store_available: 'max',
};
