/** The README's examples are what the code does. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { parseConfig } from '../../src/config/load.js';
import { CHAPTERS } from '../demo/rows.mjs';
import { inRepository } from '../support/repository.mjs';

const readme = readFileSync(inRepository('README.md'), 'utf8');
const env = { NONCE_SECRET: 'n'.repeat(32), REDIS_URL: 'redis://localhost:6379' };

describe('README.md', () => {
  const examples = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml!);

  test.each(examples.map((yaml, index) => [index + 1, yaml] as const))(
    'example %d is a good configuration',
    (_, yaml) => {
      const { warnings } = parseConfig(yaml, { env });
      expect(warnings.filter(({ text }) => !text.includes('paths compare with their case'))).toEqual([]);
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
