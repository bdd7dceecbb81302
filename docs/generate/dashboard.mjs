import { metric, quantile, rate } from './metric.mjs';

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 24;

/** Rows of panels; widths in a row add up to 24. */
const ROWS = [
  {
    title: 'Decisions',
    panels: [
      series('Checks by decision', 'reqps', [
        [`sum by (decision) (${rate('checks_total')})`, '{{decision}}'],
      ]),
      series('Denials and errors by reason', 'reqps', [
        [`sum by (reason) (${rate('checks_total', { decision: ['deny', 'error'] })})`, '{{reason}}'],
      ]),
      series('Checks by policy', 'reqps', [[`sum by (policy) (${rate('checks_total')})`, '{{policy}}']]),
    ],
  },
  {
    title: 'Time to answer and load',
    panels: [
      series(
        'Time to answer',
        's',
        [0.5, 0.95, 0.99].map((part) => [quantile(part), `p${part * 100}`]),
      ),
      series('Checks that wait for a dependency', 'short', [
        [`sum by (instance) (${metric('checks_waiting')})`, '{{instance}}'],
      ]),
      series('CPU', 'percentunit', [['rate(process_cpu_seconds_total{job=~"$job"}[5m])', '{{instance}}']]),
      series('Memory', 'bytes', [['process_resident_memory_bytes{job=~"$job"}', '{{instance}}']]),
    ],
  },
  {
    title: 'Keys and introspection',
    panels: [
      series('Age of key sets', 's', [[`max by (issuer) (${metric('jwks_age_seconds')})`, '{{issuer}}']]),
      series('Usable keys', 'short', [[`min by (issuer) (${metric('jwks_keys')})`, '{{issuer}}']]),
      series('Fetches of key sets', 'cps', [
        [`sum by (issuer, outcome) (${rate('jwks_fetches_total')})`, '{{issuer}} {{outcome}}'],
      ]),
      series('Introspection', 'cps', [
        [`sum by (issuer, outcome) (${rate('introspections_total')})`, '{{issuer}} {{outcome}}'],
      ]),
    ],
  },
  {
    title: 'Caches, proofs and revocation',
    panels: [
      series('Look-ups of verified tokens', 'cps', [
        [`sum by (outcome) (${rate('token_cache_total')})`, '{{outcome}}'],
      ]),
      series('DPoP proofs', 'cps', [[`sum by (outcome) (${rate('dpop_proofs_total')})`, '{{outcome}}']]),
      series('Spent proofs in memory', 'short', [[metric('replay_entries'), '{{instance}}']]),
      series('Revocations', 'short', [
        [`max(${metric('revocations')})`, 'held'],
        [`sum by (source) (increase(${metric('revocations_total')}[5m]))`, 'made by {{source}}'],
      ]),
    ],
  },
  {
    title: 'Administration and configuration',
    panels: [
      stat('Versions', `count by (version, node) (${metric('build_info')})`, '{{version}} on Node {{node}}'),
      stat(
        'Age of the configuration',
        `time() - max(${metric('config_last_reload_success_timestamp_seconds')})`,
        'loaded',
        's',
      ),
      stat('Latest reload', `min(${metric('config_last_reload_successful')})`, '1: in force'),
      series('Token endpoint', 'cps', [
        [`sum by (grant, outcome) (${rate('token_requests_total')})`, '{{grant}} {{outcome}}'],
      ]),
      series('Admin API', 'cps', [
        [`sum by (action, outcome) (${rate('admin_actions_total')})`, '{{action}} {{outcome}}'],
      ]),
      series('Shadow policies that would refuse', 'cps', [
        [
          `sum by (policy, shadow, candidate) (${rate('shadow_total', { live: 'allow', candidate: '!allow' })})`,
          '{{policy}}: {{shadow}} {{candidate}}',
        ],
      ]),
    ],
  },
];

function targets(queries) {
  return queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
  }));
}

function series(title, unit, queries) {
  return {
    type: 'timeseries',
    title,
    datasource: DATASOURCE,
    targets: targets(queries),
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

function stat(title, expr, legend, unit = 'short') {
  return {
    type: 'stat',
    title,
    datasource: DATASOURCE,
    targets: targets([[expr, legend]]),
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: {
      textMode: 'value_and_name',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  };
}

/** @returns the rows and panels with their places */
function layOut() {
  let y = 0;
  let id = 0;
  return ROWS.flatMap(({ title, panels }) => {
    const perLine = Math.min(panels.length, panels.length > 4 ? 3 : panels.length);
    const w = WIDTH / perLine;
    const row = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: WIDTH, x: 0, y },
    };
    const placed = panels.map((panel, index) => ({
      id: ++id,
      ...panel,
      gridPos: { h: 8, w, x: (index % perLine) * w, y: y + 1 + Math.floor(index / perLine) * 8 },
    }));
    y += 1 + Math.ceil(panels.length / perLine) * 8;
    return [row, ...placed];
  });
}

/** @returns {string} a dashboard for Grafana, as a JSON file */
export function describeDashboard() {
  const dashboard = {
    uid: 'portcullis',
    title: 'Portcullis',
    description: 'Written by `npm run docs` from docs/generate/dashboard.mjs.',
    tags: ['portcullis', 'envoy', 'ext_authz'],
    timezone: 'browser',
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'job',
          label: 'Job',
          type: 'query',
          datasource: DATASOURCE,
          query: `label_values(${metric('build_info')}, job)`,
          includeAll: true,
          multi: true,
          refresh: 2,
        },
      ],
    },
    annotations: { list: [] },
    panels: layOut(),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
