/** The README's tables and examples are what the code does. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { DENIALS } from '../../src/authz/denial.js';
import { parseConfig } from '../../src/config/load.js';
import { METRICS } from '../../src/observability/metrics.js';
import { CHAPTERS } from '../demo/rows.mjs';
import { inRepository } from '../support/repository.mjs';

const readme = readFileSync(inRepository('README.md'), 'utf8');
const env = { NONCE_SECRET: 'n'.repeat(32), REDIS_URL: 'redis://localhost:6379' };

/** The rows of the table below a heading, without their back-ticks. */
function tableBelow(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

describe('README.md', () => {
  test('the table of denials is the catalogue', () => {
    const catalogue = Object.entries(DENIALS).map(([code, { http, error, text }]) => [
      code,
      String(http),
      error ?? '',
      text,
    ]);
    expect(tableBelow('Denials')).toEqual(catalogue);
  });

  test('the table of metrics is what is exposed', () => {
    const exposed = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
      `portcullis_${name}`,
      type,
      labels.join(', '),
      help,
    ]);
    expect(tableBelow('Metrics')).toEqual(exposed);
  });

  const examples = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml!);

  test.each(examples.map((yaml, index) => [index + 1, yaml] as const))(
    'example %d is a good configuration',
    (_, yaml) => {
      const { warnings } = parseConfig(yaml, { env });
      expect(warnings).toEqual([]);
    },
  );

  test('says how many requests the demo sends', () => {
    const rows = CHAPTERS.flatMap((chapter) => chapter.rows);
    expect(readme).toContain(`${rows.length} requests in one table`);
  });

  test('every file that it links to is there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(inRepository(path)))).toEqual([]);
  });
});
