import { stringify } from 'yaml';
import { ALERTS, RECORDINGS } from './alerts.mjs';

/** @param {string} alert @returns {string} the name of its page */
const kebabCase = (alert) => alert.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

/** @returns {string} rules for Prometheus, as a YAML file */
export function describeRules() {
  const rules = ALERTS.map(({ alert, expr, for: duration, severity, summary, description }) => ({
    alert,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary, description, runbook_url: `docs/runbooks/${kebabCase(alert)}.md` },
  }));
  const groups = [
    { name: 'portcullis.records', rules: RECORDINGS },
    { name: 'portcullis.alerts', rules },
  ];
  return (
    '# Written by `npm run docs` from docs/generate/alerts.mjs, whose metrics are those of the catalogue.\n' +
    '# Replace docs/runbooks with the address of your copy, or use prometheusRule.runbookBaseUrl of the Helm chart.\n' +
    stringify({ groups }, { lineWidth: 0, singleQuote: true })
  );
}
