/** The tables in docs/examples/policies are the ten examples of the guide, and `portcullis test` finds them as expected. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runTest } from '../../src/cli/test.js';
import { frontCasesOf } from '../support/guide-cases.js';
import { inRepository } from '../support/repository.mjs';

const folder = inRepository('docs', 'examples', 'policies');
const examples = readdirSync(folder).sort();

test('each example of the guide has a folder', () => {
  expect(examples).toHaveLength(frontCasesOf().length);
});

test.each(examples.map((name, index) => [name, index] as const))('%s', async (name, index) => {
  const out: string[] = [];
  const io = {
    in: () => Promise.resolve(''),
    out: (text: string) => void out.push(text),
    err: () => undefined,
  };
  const files = [join(folder, name, 'cases.yaml')];
  const code = await runTest({ config: join(folder, name, 'portcullis.yaml'), files }, io);
  expect({ code, out: out.join('\n') }).toMatchObject({
    code: 0,
    out: expect.stringContaining(`${frontCasesOf()[index]!.cases.length} cases, all as expected`),
  });
});
