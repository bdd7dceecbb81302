// Writes what is generated from the code; with --check it only says whether those files are up to date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describeConfig } from '../dist/config/describe.js';
import { describeDashboard } from './generate/dashboard.mjs';
import { describeRules } from './generate/rules.mjs';

const rules = describeRules();
const dashboard = describeDashboard();

/** Paths below the repository, with their content. Helm reads only what is in the chart. */
const FILES = {
  'docs/configuration.md': describeConfig(),
  'deploy/monitoring/prometheus-rules.yaml': rules,
  'deploy/monitoring/grafana-dashboard.json': dashboard,
  'deploy/helm/portcullis/files/prometheus-rules.yaml': rules,
  'deploy/helm/portcullis/files/grafana-dashboard.json': dashboard,
};

for (const [path, text] of Object.entries(FILES)) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
  } else if (read(file) !== text) {
    console.error(`${path} is not what the code says; run \`npm run docs\``);
    process.exitCode = 1;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
