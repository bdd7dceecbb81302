import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const BUILT = new URL('../../dist/config/load-in-thread.js', import.meta.url);
// A thread needs a file that node itself can run.
const built = existsSync(BUILT) ? describe : describe.skip;

const SCRIPT = `
const { loadConfigInThread } = await import(process.argv[1]);
try {
  const { config, files } = await loadConfigInThread(process.argv[2]);
  const bare = [config.policies, config.policies.p.claims, config.identity.headers].map((one) => Object.getPrototypeOf(one));
  console.log(JSON.stringify({ issuer: config.issuers[0].issuer, frozen: Object.isFrozen(config.policies.p.claims.a), bare, files }));
} catch (error) {
  console.log(JSON.stringify({ name: error.name, problems: error.problems, files: error.files }));
}`;

built('loadConfigInThread()', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-load-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const load = (text: string): unknown => {
    const file = join(folder, 'gate.yaml');
    writeFileSync(file, text);
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, BUILT.href, file], {
      encoding: 'utf8',
      env: { ...process.env, GATE_HOST: 'a.example' },
    });
    return JSON.parse(run.stdout);
  };

  test('brings a configuration that is frozen and bare, environment included', () => {
    expect(
      load(
        'issuers: [{issuer: "https://${env:GATE_HOST}", audiences: [x]}]\npolicies: {p: {claims: {a: [b]}}}',
      ),
    ).toEqual({
      issuer: 'https://a.example',
      frozen: true,
      bare: [null, null, null],
      files: [join(folder, 'gate.yaml')],
    });
  });

  test('brings all problems, and ends', () => {
    expect(load('issuers: []\nnope: 1')).toMatchObject({
      name: 'ConfigError',
      problems: [{ path: 'nope' }, { path: 'issuers' }],
      files: [join(folder, 'gate.yaml')],
    });
  });
});
