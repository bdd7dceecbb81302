import { describe, expect, test } from '@jest/globals';
import type { DenialCode } from '../../src/authz/denial.js';
import { createContext } from '../../src/authz/pipeline.js';
import type { Decision } from '../../src/authz/types.js';
import { METRICS } from '../../src/observability/metric-catalogue.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { authzRequest, deniedFor } from '../authz/contexts.js';

const ctx = () => createContext(authzRequest(), 0);
const denied = (code: DenialCode): Decision => deniedFor(code, ctx());
const allowed = (): Decision => ({
  kind: 'allow',
  ctx: ctx(),
  upstream: { set: [], remove: [], removeQuery: [] },
  responseHeaders: [],
  metadata: {},
});

describe('createMetrics()', () => {
  test('publishes every metric of the table under its name', async () => {
    const metrics = createMetrics('1.2.3');
    const text = await metrics.registry.metrics();
    for (const [name, { type }] of Object.entries(METRICS))
      expect(text).toContain(`# TYPE portcullis_${name} ${type}`);
    expect(text).toContain('portcullis_build_info{version="1.2.3"');
    expect(text).toContain('process_cpu_seconds_total');
  });

  test.each([
    ['an allow', allowed(), 'decision="allow",reason="anonymous",policy="none"'],
    ['a denial', denied('expired_token'), 'decision="deny",reason="expired_token",policy="none"'],
    ['a fault', denied('keys_unavailable'), 'decision="error",reason="keys_unavailable",policy="none"'],
  ])('counts %s once, however often it is read', async (_name, decision, labels) => {
    const metrics = createMetrics('1');
    metrics.decided(decision, 0.2);
    await metrics.registry.metrics();
    metrics.decided(decision, 0.2);
    expect(await metrics.registry.metrics()).toContain(`portcullis_checks_total{${labels}} 2`);
  });

  test('sorts durations into cumulative buckets', async () => {
    const metrics = createMetrics('1');
    for (const durationMs of [0.05, 0.2, 3, 10_000]) metrics.decided(allowed(), durationMs);
    const text = await metrics.registry.metrics();
    const bucket = (le: string): string =>
      `portcullis_check_duration_seconds_bucket{le="${le}",decision="allow"}`;
    expect(text).toContain(`${bucket('0.0001')} 1`);
    expect(text).toContain(`${bucket('0.00025')} 2`);
    expect(text).toContain(`${bucket('0.005')} 3`);
    expect(text).toContain(`${bucket('2.5')} 3`);
    expect(text).toContain(`${bucket('+Inf')} 4`);
    expect(text).toContain('portcullis_check_duration_seconds_count{decision="allow"} 4');
    expect(text).toContain('portcullis_check_duration_seconds_sum{decision="allow"} 10.00325');
  });

  test('reads gauges when it is read, and leaves out the age of a set that is not there', async () => {
    const metrics = createMetrics('1');
    metrics.observe({
      keySets: () => [
        { issuer: 'https://a.example', ageSeconds: 5, keys: 3 },
        { issuer: 'https://b.example', ageSeconds: undefined, keys: 0 },
      ],
      replayEntries: () => 7,
      tokenCacheEntries: () => 8,
      logLinesDropped: () => 5,
      auditLinesLost: () => 6,
      checksWaiting: () => 9,
    });
    metrics.observeRevocations(() => ({ size: 10, available: true }));
    const text = await metrics.registry.metrics();
    expect(text).toContain('portcullis_jwks_age_seconds{issuer="https://a.example"} 5');
    expect(text).not.toContain('portcullis_jwks_age_seconds{issuer="https://b.example"}');
    expect(text).toContain('portcullis_jwks_keys{issuer="https://b.example"} 0');
    expect(text).toContain('portcullis_replay_entries 7');
    expect(text).toContain('portcullis_token_cache_entries 8');
    expect(text).toContain('portcullis_checks_waiting 9');
    expect(text).toContain('portcullis_log_lines_dropped_total 5');
    expect(await metrics.registry.metrics()).toContain('portcullis_log_lines_dropped_total 5');
    expect(text).toContain('portcullis_revocations 10');
    expect(text).toContain('portcullis_revocation_store_available 1');
  });

  test('counts what the stages report', async () => {
    const metrics = createMetrics('1');
    metrics.gate.tokenCache('hit');
    metrics.gate.dpopProof('accepted');
    metrics.gate.shadow('p', 'q', 'allow', 'deny');
    metrics.jwksFetched('https://a.example', 'timeout');
    metrics.reloaded('failure');
    metrics.revoked('logout');
    const text = await metrics.registry.metrics();
    expect(text).toContain('portcullis_token_cache_total{outcome="hit"} 1');
    expect(text).toContain('portcullis_dpop_proofs_total{outcome="accepted"} 1');
    expect(text).toContain('portcullis_shadow_total{policy="p",shadow="q",live="allow",candidate="deny"} 1');
    expect(text).toContain('portcullis_jwks_fetches_total{issuer="https://a.example",outcome="timeout"} 1');
    expect(text).toContain('portcullis_config_reloads_total{outcome="failure"} 1');
    expect(text).toContain('portcullis_revocations_total{source="logout"} 1');
    expect(text).toContain('portcullis_revocations_total{source="admin"} 0');
  });
});
