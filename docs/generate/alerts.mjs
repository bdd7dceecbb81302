// The alerts. Each has a page docs/runbooks/NAME.md, with NAME in kebab-case.
import { metric, quantile, rate, share } from './metric.mjs';

/** Denials that a client's ordinary mistakes do not cause: somebody tries. */
const FORGERIES = [
  'invalid_signature',
  'unsupported_algorithm',
  'bound_token_as_bearer',
  'certificate_mismatch',
  'dpop_proof_signature',
  'dpop_key_mismatch',
  'dpop_proof_replayed',
];

/** @typedef {{ alert: string, expr: string, for: string, severity: 'critical' | 'warning' | 'info', summary: string, description: string }} Alert */

/** @type {readonly Alert[]} */
export const ALERTS = [
  {
    alert: 'PortcullisAbsent',
    expr: `absent(${metric('build_info')})`,
    for: '5m',
    severity: 'critical',
    summary: 'No Portcullis is scraped.',
    description:
      'Either none runs, and every request is refused, or Prometheus does not reach the admin port.',
  },
  {
    alert: 'PortcullisErrors',
    expr: `${share({ decision: 'error' })} > 0.01`,
    for: '5m',
    severity: 'critical',
    summary: 'More than 1 % of Checks end in an error of the gate or of a dependency.',
    description: '{{ $value | humanizePercentage }} of Checks were answered with a status of 500 or more.',
  },
  {
    alert: 'PortcullisOverloaded',
    expr: `${share({ reason: ['overloaded', 'deadline_exceeded'] })} > 0.001`,
    for: '5m',
    severity: 'critical',
    summary: 'Checks are refused because there are too many at once.',
    description:
      '{{ $value | humanizePercentage }} of Checks were refused with overloaded or deadline_exceeded.',
  },
  {
    alert: 'PortcullisSlow',
    expr: `${quantile(0.99)} > 0.1`,
    for: '10m',
    severity: 'warning',
    summary: 'One Check in a hundred takes more than 100 ms.',
    description: 'The 99th percentile of the time to answer is {{ $value | humanizeDuration }}.',
  },
  {
    alert: 'PortcullisMisconfigured',
    expr: `sum by (reason) (${rate('checks_total', { reason: ['unknown_policy', 'internal_error'] })}) > 0`,
    for: '5m',
    severity: 'critical',
    summary: 'Checks fail with {{ $labels.reason }}.',
    description: 'Envoy asks for a policy that is not configured, or a fault of the gate denies requests.',
  },
  {
    alert: 'PortcullisDenialsHigh',
    expr: `${share({ decision: 'deny' })} > 0.5 and sum(${rate('checks_total')}) > 1`,
    for: '15m',
    severity: 'warning',
    summary: 'More than half of all requests are refused.',
    description:
      '{{ $value | humanizePercentage }} of Checks are denials: a client, an issuer or a policy changed.',
  },
  {
    alert: 'PortcullisForgedCredentials',
    expr: `sum by (reason) (${rate('checks_total', { reason: FORGERIES })}) > 1`,
    for: '10m',
    severity: 'warning',
    summary: 'Credentials that no honest client sends: {{ $labels.reason }}.',
    description: '{{ $value | humanize }} requests per second were refused with {{ $labels.reason }}.',
  },
  {
    alert: 'PortcullisNoKeys',
    expr: `${metric('jwks_keys')} == 0`,
    for: '2m',
    severity: 'critical',
    summary: 'There is no usable key of {{ $labels.issuer }}.',
    description: 'Every token of this issuer is refused.',
  },
  {
    alert: 'PortcullisKeyFetchFails',
    expr:
      `sum by (issuer) (increase(${metric('jwks_fetches_total', { outcome: 'failure' })}[30m])) > 0 ` +
      `unless sum by (issuer) (increase(${metric('jwks_fetches_total', { outcome: 'success' })}[30m])) > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'The keys of {{ $labels.issuer }} cannot be fetched.',
    description:
      'No fetch succeeded for 30 minutes. The last good keys serve until jwks.staleIfError has passed.',
  },
  {
    alert: 'PortcullisKeysStale',
    expr: `${metric('jwks_age_seconds')} > 43200`,
    for: '15m',
    severity: 'critical',
    summary: 'The keys of {{ $labels.issuer }} are {{ $value | humanizeDuration }} old.',
    description:
      'Half of the default of jwks.staleIfError has passed. After it, every token of this issuer is refused.',
  },
  {
    alert: 'PortcullisReloadFailed',
    expr: `${metric('config_last_reload_successful')} == 0`,
    for: '5m',
    severity: 'warning',
    summary: 'The latest configuration was refused.',
    description: 'An older configuration is in force. A restart would not come up.',
  },
  {
    alert: 'PortcullisClientKeyFileRefused',
    expr: `increase(${metric('client_key_files_refused_total')}[15m]) > 0`,
    for: '0m',
    severity: 'warning',
    summary: 'A file of client keys was not used.',
    description: 'Its last good content is in force: a new key is not trusted, and a removed one still is.',
  },
  {
    alert: 'PortcullisIntrospectionFails',
    expr:
      `sum by (issuer) (${rate('introspections_total', { outcome: 'failed' })}) ` +
      `/ sum by (issuer) (${rate('introspections_total')}) > 0.05`,
    for: '5m',
    severity: 'critical',
    summary: 'Introspection at {{ $labels.issuer }} fails.',
    description:
      '{{ $value | humanizePercentage }} of calls failed. Opaque tokens of this issuer are answered 503.',
  },
  {
    alert: 'PortcullisRevocationStoreDown',
    // Without `revocation` the gauge is always 0: only one that was 1 has gone down.
    expr:
      `${metric('revocation_store_available')} == 0 ` +
      `and max_over_time(${metric('revocation_store_available')}[1d]) == 1`,
    for: '2m',
    severity: 'critical',
    summary: 'The revocation store does not answer.',
    description:
      'After revocation.maxStale every token is refused with 503, or revocations are missed where it is allowed.',
  },
  {
    alert: 'PortcullisReplayMemoryFull',
    expr: `${metric('replay_entries')} > 900000`,
    for: '5m',
    severity: 'warning',
    summary: 'The memory of spent DPoP proofs is nearly full.',
    description:
      '{{ $value | humanize }} proofs are remembered, and the default of replay.maxEntries is a million.',
  },
  {
    alert: 'PortcullisChecksWait',
    expr: `${metric('checks_waiting')} > 100`,
    for: '5m',
    severity: 'warning',
    summary: 'Many Checks wait for a dependency.',
    description: '{{ $value }} Checks wait for keys, introspection or a store.',
  },
  {
    alert: 'PortcullisAdminAccessDenied',
    expr: `sum by (action) (increase(${metric('admin_actions_total', { outcome: 'denied' })}[15m])) > 10`,
    for: '0m',
    severity: 'warning',
    summary: 'Requests to the admin API are refused: {{ $labels.action }}.',
    description: '{{ $value | humanize }} requests in 15 minutes were not permitted.',
  },
  {
    alert: 'PortcullisLogLinesDropped',
    expr: `increase(${metric('log_lines_dropped_total')}[15m]) > 0`,
    for: '0m',
    severity: 'warning',
    summary: 'Log lines are lost.',
    description:
      '{{ $value | humanize }} lines were given up in 15 minutes, because their reader did not keep up.',
  },
  {
    alert: 'PortcullisAuditLinesLost',
    expr: `increase(${metric('audit_lines_lost_total')}[15m]) > 0`,
    for: '0m',
    severity: 'warning',
    summary: 'Audit lines are lost.',
    description: '{{ $value | humanize }} lines could not be written in 15 minutes.',
  },
  {
    alert: 'PortcullisConnectionsCut',
    expr: `sum by (reason) (increase(${metric('transport_cuts_total')}[15m])) > 10`,
    for: '0m',
    severity: 'warning',
    summary: 'Connections of the gRPC port are cut: {{ $labels.reason }}.',
    description: '{{ $value | humanize }} connections passed a bound in 15 minutes.',
  },
  {
    alert: 'PortcullisVersionsDiffer',
    expr: `count(count by (version) (${metric('build_info')})) > 1`,
    for: '1h',
    severity: 'info',
    summary: 'Several versions of Portcullis run.',
    description: 'A roll-out has not ended within an hour.',
  },
];

/** Series that dashboards and other rules can use at little cost. */
export const RECORDINGS = [
  { record: 'portcullis:checks:rate5m', expr: `sum by (decision, reason, policy) (${rate('checks_total')})` },
  { record: 'portcullis:check_errors:ratio_rate5m', expr: share({ decision: 'error' }) },
  { record: 'portcullis:check_duration_seconds:p99_5m', expr: quantile(0.99) },
];
