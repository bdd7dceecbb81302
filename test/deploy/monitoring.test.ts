import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse, stringify } from 'yaml';
import { METRICS } from '../../src/observability/metric-catalogue.js';
import { compileAs } from '../support/compile-as.mjs';
import { scratchDirectory, stopAll } from '../support/processes.mjs';
import { findGoProgram } from '../support/provision-go.mjs';
import { testWith } from '../support/with-go-program.js';
import { inRepository } from '../support/repository.mjs';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { severity: string };
  readonly annotations: { summary: string; description: string; runbook_url: string };
}

const RULES = inRepository('deploy/monitoring/prometheus-rules.yaml');
const rulesText = readFileSync(RULES, 'utf8');
const dashboardText = readFileSync(inRepository('deploy/monitoring/grafana-dashboard.json'), 'utf8');
const groups: { name: string; rules: any[] }[] = parse(rulesText).groups;
const alerts: Alert[] = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);
const promtool = findGoProgram('promtool');

afterAll(stopAll);

/** Series of the healthy minute after minute, and of the trouble that must raise the alert. Rates are per minute. */
const CASES: readonly (readonly [
  alert: string,
  healthy: Record<string, string>,
  trouble: Record<string, string>,
])[] = [
  ['PortcullisAbsent', { build_info: '1x240' }, { 'other{}': '1x240' }],
  ['PortcullisErrors', checks({ allow: 1000, error: 1 }), checks({ allow: 1000, error: 100 })],
  [
    'PortcullisOverloaded',
    checks({ allow: 1000, error: 10 }),
    { ...checks({ allow: 1000 }), ...count('checks_total{decision="error",reason="overloaded"}', 10) },
  ],
  ['PortcullisSlow', answered({ fast: 1000, slow: 1 }), answered({ fast: 1000, slow: 100 })],
  [
    'PortcullisMisconfigured',
    count('checks_total{decision="error",reason="keys_unavailable"}', 5),
    count('checks_total{decision="error",reason="unknown_policy"}', 5),
  ],
  ['PortcullisDenialsHigh', checks({ allow: 1000, deny: 900 }), checks({ allow: 100, deny: 900 })],
  [
    'PortcullisForgedCredentials',
    count('checks_total{decision="deny",reason="missing_credential"}', 600),
    count('checks_total{decision="deny",reason="dpop_proof_replayed"}', 600),
  ],
  ['PortcullisNoKeys', { 'jwks_keys{issuer="a"}': '2x240' }, { 'jwks_keys{issuer="a"}': '0x240' }],
  [
    'PortcullisKeyFetchFails',
    { ...fetches('failure'), ...fetches('success') },
    { ...fetches('failure'), ...fetches('success', 0) },
  ],
  [
    'PortcullisKeysStale',
    { 'jwks_age_seconds{issuer="a"}': '60x240' },
    { 'jwks_age_seconds{issuer="a"}': '50000x240' },
  ],
  [
    'PortcullisReloadFailed',
    { config_last_reload_successful: '1x240' },
    { config_last_reload_successful: '0x240' },
  ],
  [
    'PortcullisClientKeyFileRefused',
    { client_key_files_refused_total: '3x240' },
    count('client_key_files_refused_total', 1),
  ],
  [
    'PortcullisIntrospectionFails',
    { ...introspections('active', 100), ...introspections('failed', 1) },
    { ...introspections('active', 100), ...introspections('failed', 50) },
  ],
  // The gauge is 0 as long as there is no `revocation`: that is no trouble.
  [
    'PortcullisRevocationStoreDown',
    { revocation_store_available: '0x240' },
    { revocation_store_available: '1x10 0x230' },
  ],
  ['PortcullisReplayMemoryFull', { replay_entries: '1000x240' }, { replay_entries: '950000x240' }],
  ['PortcullisChecksWait', { checks_waiting: '3x240' }, { checks_waiting: '500x240' }],
  [
    'PortcullisAdminAccessDenied',
    count('admin_actions_total{action="issue",outcome="ok"}', 60),
    count('admin_actions_total{action="issue",outcome="denied"}', 60),
  ],
  ['PortcullisLogLinesDropped', { log_lines_dropped_total: '9x240' }, count('log_lines_dropped_total', 1)],
  ['PortcullisAuditLinesLost', { audit_lines_lost_total: '9x240' }, count('audit_lines_lost_total', 1)],
  [
    'PortcullisConnectionsCut',
    count('transport_cuts_total{reason="streams"}', 0),
    count('transport_cuts_total{reason="streams"}', 5),
  ],
  [
    'PortcullisVersionsDiffer',
    {
      'build_info{version="0.2.0",instance="a"}': '1x240',
      'build_info{version="0.2.0",instance="b"}': '1x240',
    },
    {
      'build_info{version="0.2.0",instance="a"}': '1x240',
      'build_info{version="0.1.0",instance="b"}': '1x240',
    },
  ],
];

function count(series: string, perMinute: number): Record<string, string> {
  return { [series]: `0+${perMinute}x240` };
}

function checks(perMinute: Record<string, number>): Record<string, string> {
  const entries = Object.entries(perMinute);
  return Object.assign(
    {},
    ...entries.map(([decision, n]) => count(`checks_total{decision="${decision}"}`, n)),
  );
}

function answered({ fast, slow }: { fast: number; slow: number }): Record<string, string> {
  const bucket = (le: string, n: number) => count(`check_duration_seconds_bucket{le="${le}"}`, n);
  return {
    ...bucket('0.01', fast),
    ...bucket('0.1', fast),
    ...bucket('1', fast + slow),
    ...bucket('+Inf', fast + slow),
  };
}

function fetches(outcome: string, perMinute = 1): Record<string, string> {
  return count(`jwks_fetches_total{issuer="a",outcome="${outcome}"}`, perMinute);
}

function introspections(outcome: string, perMinute: number): Record<string, string> {
  return count(`introspections_total{issuer="a",outcome="${outcome}"}`, perMinute);
}

const named = (series: Record<string, string>): object[] =>
  Object.entries(series).map(([name, values]) => ({ series: `portcullis_${name}`, values }));

/** How many seconds of the last ten minutes the alert fires. */
const firing = (alert: string): string =>
  `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;

describe('deploy/monitoring/prometheus-rules.yaml', () => {
  test('every alert has a healthy and a bad case', () => {
    expect(CASES.map(([alert]) => alert)).toEqual(alerts.map(({ alert }) => alert));
  });

  testWith('promtool', promtool)('promtool finds the rules sound', () => {
    const { status, stderr } = spawnSync(promtool!, ['check', 'rules', '--lint=all', '--lint-fatal', RULES], {
      encoding: 'utf8',
    });
    expect([stderr, status]).toEqual(['', 0]);
  });

  testWith('promtool', promtool)('each alert fires in trouble, and is silent without', () => {
    const tests = CASES.flatMap(([alert, healthy, trouble]) => {
      const case_ = (name: string, series: Record<string, string>, value: number) => ({
        name: `${alert}, ${name}`,
        interval: '1m',
        input_series: named(series),
        promql_expr_test: [{ expr: firing(alert), eval_time: '2h', exp_samples: [{ labels: '{}', value }] }],
      });
      return [case_('healthy', healthy, 0), case_('trouble', trouble, 1)];
    });
    const file = join(scratchDirectory(), 'rules.test.yaml');
    writeFileSync(file, stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
    const { status, stderr, stdout } = spawnSync(promtool!, ['test', 'rules', file], { encoding: 'utf8' });
    expect([`${stderr}${stdout}`.replace(/.*SUCCESS\s*/s, ''), status]).toEqual(['', 0]);
  });

  test.each(alerts)('$alert has a page that explains it', ({ annotations, labels }) => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    const page = readFileSync(inRepository(annotations.runbook_url), 'utf8');
    const parts = [...page.matchAll(/^## (.+)\n\n(.)/gm)].map(([, title]) => title);
    expect(parts).toEqual(['What it means', 'What to look at', 'What to do']);
  });

  test('every runbook is the page of an alert, and is in the index', () => {
    const pages = readdirSync(inRepository('docs/runbooks')).filter((name) => name !== 'README.md');
    const urls = alerts.map(({ annotations }) => annotations.runbook_url);
    expect(pages.map((name) => `docs/runbooks/${name}`).sort()).toEqual([...urls].sort());
    const index = readFileSync(inRepository('docs/runbooks/README.md'), 'utf8');
    for (const name of pages) expect(index).toContain(`](${name})`);
  });
});

describe('names of metrics', () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const ofProcess = registry.getMetricsAsArray().map(({ name }) => name);
  const ofCatalogue = Object.entries(METRICS).flatMap(([name, { type }]) => {
    const suffixes = type === 'histogram' ? ['', '_bucket', '_sum', '_count'] : [''];
    return suffixes.map((suffix) => `portcullis_${name}${suffix}`);
  });
  const runbooks = readdirSync(inRepository('docs/runbooks')).map((name) => `docs/runbooks/${name}`);

  test.each([
    'deploy/monitoring/prometheus-rules.yaml',
    'deploy/monitoring/grafana-dashboard.json',
    ...runbooks,
  ])('%s has none that is not exposed', (file) => {
    const text = readFileSync(inRepository(file), 'utf8');
    const names = text.match(/\b(portcullis|nodejs|process)_[a-z0-9_]+/g) ?? [];
    expect(names.filter((name) => ![...ofCatalogue, ...ofProcess].includes(name))).toEqual([]);
  });

  test('every metric of the catalogue is in a rule or on the dashboard, or left out on purpose', () => {
    const left = [
      'security_events_total',
      'introspection_duration_seconds',
      'token_cache_entries',
      'config_reloads_total',
      'transport_connections',
      'trace_spans_sent_total',
      'trace_spans_dropped_total',
    ];
    const missing = Object.keys(METRICS).filter(
      (name) => !`${rulesText}${dashboardText}`.includes(`portcullis_${name}`),
    );
    expect(missing.filter((name) => !left.includes(name))).toEqual([]);
  });
});

describe('deploy/monitoring/grafana-dashboard.json', () => {
  const dashboard = JSON.parse(dashboardText);

  test("is a dashboard of Grafana's schema", () => {
    const sdk = '@grafana/grafana-foundation-sdk';
    const { templating, panels, ...rest } = dashboard;
    // The types of variables are an enumeration there, and queries are left to the kind of data source.
    const variables = templating.list.map(({ type: _type, ...variable }: any) => variable);
    const bare = panels.map(({ targets: _targets, ...panel }: any) => panel);
    const value = { ...rest, templating: {}, panels: bare };
    const module = `${sdk}/dashboard`;
    const literals = [
      { module, type: 'Dashboard', value },
      ...variables.map((variable: unknown) => ({
        module,
        type: 'VariableModel',
        value: variable,
        omit: 'type',
      })),
      ...panels.flatMap(({ targets = [] }: any) =>
        targets.map((target: unknown) => ({
          module: `${sdk}/prometheus`,
          type: 'Dataquery',
          omit: '_implementsDataqueryVariant',
          value: target,
        })),
      ),
    ];
    expect(compileAs(literals)).toEqual([]);
    const wrong = { ...value, panels: [{ ...bare[1], gridPoss: {} }] };
    expect(compileAs([{ module, type: 'Dashboard', value: wrong }]).join()).toContain('gridPoss');
  });

  test('panels do not overlap, and fill the width', () => {
    const cells = new Set<string>();
    const places: { title: string; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[] = dashboard.panels;
    for (const { title, gridPos } of places) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, cells.has(`${x},${y}`)]).toEqual([title, false]);
          cells.add(`${x},${y}`);
        }
    }
    const ids = dashboard.panels.map(({ id }: { id: number }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  testWith('promtool', promtool)('every query is one that Prometheus can parse', () => {
    const queries: string[] = dashboard.panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }: any) => expr),
    );
    const rules = queries.map((expr, index) => ({
      record: `panel:query:${index}`,
      expr: expr.replaceAll('$job', '.*'),
    }));
    const file = join(scratchDirectory(), 'panels.yaml');
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }, { lineWidth: 0 }));
    const { status, stderr } = spawnSync(promtool!, ['check', 'rules', file], { encoding: 'utf8' });
    expect([stderr, status, queries.length > 20]).toEqual(['', 0, true]);
  });
});

test('the chart has the same rules and the same dashboard', () => {
  for (const name of ['prometheus-rules.yaml', 'grafana-dashboard.json']) {
    const inChart = inRepository('deploy/helm/portcullis/files', name);
    expect(existsSync(inChart)).toBe(true);
    expect(readFileSync(inChart, 'utf8')).toBe(readFileSync(inRepository('deploy/monitoring', name), 'utf8'));
  }
});
