/** The tables of denials and metrics are what the code does. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { DENIALS } from '../../src/authz/denial.js';
import { AUDIT_FIELDS } from '../../src/observability/audit/audit-fields.js';
import { METRICS } from '../../src/observability/metric-catalogue.js';
import { inRepository } from '../support/repository.mjs';

/** The rows of the first table of a page, without their back-ticks. */
function tableOf(page: string): string[][] {
  const lines = readFileSync(inRepository('docs', page), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + 2, start + length).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

describe('docs/denials.md', () => {
  test('the table is the catalogue', () => {
    const catalogue = Object.entries(DENIALS).map(([code, { http, error, text }]) => [
      code,
      String(http),
      error ?? '',
      text,
    ]);
    expect(tableOf('denials.md')).toEqual(catalogue);
  });
});

describe('docs/audit.md', () => {
  test('the table is what an audit line may hold', () => {
    const fields = Object.entries(AUDIT_FIELDS).map(([name, { lines, text }]) => [
      name,
      lines,
      text.replaceAll('`', ''),
    ]);
    expect(tableOf('audit.md')).toEqual(fields);
  });
});

describe('docs/metrics.md', () => {
  test('the table is what is exposed', () => {
    const exposed = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
      `portcullis_${name}`,
      type,
      labels.join(', '),
      help,
    ]);
    expect(tableOf('metrics.md')).toEqual(exposed);
  });
});
