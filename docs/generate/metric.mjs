// Names of metrics in queries, held to the catalogue.
import { DENIALS } from '../../dist/authz/denial.js';
import { METRICS } from '../../dist/observability/metric-catalogue.js';

/** What Prometheus adds to the name of a histogram. */
const SUFFIXES = ['_bucket', '_sum', '_count'];

/**
 * @param {string} name without the prefix; of a histogram with its suffix
 * @param {Record<string, string | readonly string[]>} [labels] several values: any of them; a value may begin with `!`
 * @returns {string} the selector
 * @throws {Error} where the catalogue has no such metric or label, or no such denial
 */
export function metric(name, labels = {}) {
  const entry = METRICS[name] ?? histogram(name);
  if (entry === undefined) throw new Error(`the catalogue has no metric ${name}`);
  const matchers = Object.entries(labels).map(([label, value]) => {
    if (!entry.labels.includes(label)) throw new Error(`${name} has no label ${label}`);
    const values = [value].flat().map((one) => (label === 'reason' ? denial(one) : one));
    if (values.length > 1) return `${label}=~"${values.join('|')}"`;
    return values[0].startsWith('!') ? `${label}!="${values[0].slice(1)}"` : `${label}="${values[0]}"`;
  });
  return `portcullis_${name}${matchers.length > 0 ? `{${matchers.join(', ')}}` : ''}`;
}

function histogram(name) {
  const suffix = SUFFIXES.find((one) => name.endsWith(one));
  const entry = suffix && METRICS[name.slice(0, -suffix.length)];
  return entry?.type === 'histogram' ? entry : undefined;
}

function denial(code) {
  if (!(code in DENIALS)) throw new Error(`there is no denial ${code}`);
  return code;
}

/** @returns {string} per second, over five minutes */
export const rate = (name, labels, window = '5m') => `rate(${metric(name, labels)}[${window}])`;

/** @returns {string} the share of Checks with these labels, 0 to 1 */
export const share = (labels) => `sum(${rate('checks_total', labels)}) / sum(${rate('checks_total')})`;

/** @returns {string} seconds below which that part of Checks was answered */
export const quantile = (part) =>
  `histogram_quantile(${part}, sum by (le) (${rate('check_duration_seconds_bucket')}))`;
