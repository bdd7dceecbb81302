import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { findGoProgram } from '../support/provision-go.mjs';
import { inRepository } from '../support/repository.mjs';

const FOLDER = inRepository('.github/workflows');
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }));
const actionlint = findGoProgram('actionlint');

const { version } = JSON.parse(readFileSync(inRepository('package.json'), 'utf8'));
const runVersion = (...args: string[]) =>
  spawnSync(process.execPath, [inRepository('deploy/version.mjs'), '--check', ...args], { encoding: 'utf8' });

describe('.github/workflows', () => {
  (actionlint === undefined ? test.skip : test)('actionlint has nothing to say', () => {
    const args = ['-no-color', '-shellcheck=', '-pyflakes=', ...files.map(({ name }) => `${FOLDER}/${name}`)];
    const { stdout, stderr, status } = spawnSync(actionlint!, args, { encoding: 'utf8' });
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });

  test.each(files)('$name: actions are pinned to a commit, with the version beside it', ({ text }) => {
    for (const [line, , reference] of text.matchAll(/uses: (\S+?)@(.+)$/gm))
      expect([line, reference]).toEqual([line, expect.stringMatching(/^[0-9a-f]{40} # v\d+\.\d+\.\d+$/)]);
  });

  test.each(files)('$name may read by default, and no job runs for ever', ({ text }) => {
    const { permissions, jobs } = parse(text);
    expect(permissions).toEqual({ contents: 'read' });
    for (const job of Object.values<Record<string, unknown>>(jobs))
      expect(job['timeout-minutes']).toBeLessThanOrEqual(120);
  });

  test.each(files)('$name gives no input of others to a shell', ({ text }) => {
    const scripts: string[] = Object.values<any>(parse(text).jobs).flatMap(({ steps }: any) =>
      steps.map(({ run = '' }: any) => run),
    );
    for (const script of scripts) expect(script).not.toMatch(/\$\{\{\s*github\.(event|head_ref|ref_name)/);
  });
});

describe('deploy/version.mjs', () => {
  test('the manifests have the version of the package', () => {
    expect(runVersion()).toMatchObject({ status: 0, stderr: '' });
  });

  test('refuses a tag that is not the version', () => {
    expect(runVersion(version).status).toBe(0);
    expect(runVersion('99.0.0')).toMatchObject({ status: 1, stderr: expect.stringContaining('99.0.0') });
  });
});
