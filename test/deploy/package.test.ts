import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
// The tarball holds dist/.
import '../support/ensure-built.mjs';
import { scratchDirectory, stopAll } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(inRepository('package.json'), 'utf8'));
const npm = (args: readonly string[], cwd: string) =>
  run('npm', [...args], { cwd, maxBuffer: 64 * 1024 * 1024 });

/** What is at the top of the tarball; a folder stands for what is in it. */
const TOP = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'bin',
  'deploy',
  'dist',
  'docs',
  'envoy.yaml',
]
  .concat(['package.json', 'page', 'proto'])
  .sort();

/** What the tests, the generators and the build leave behind. */
const NEVER = [
  /\.map$/,
  /tsbuildinfo/,
  /\.test\./,
  /^(src|test|bench)\//,
  /^docs\/.*\.mjs$/,
  /\.png$/,
  /(^|\/)\.[^/]*$/,
];
/** Helm reads this one. */
const ALLOWED = ['deploy/helm/portcullis/.helmignore'];

let files: string[] = [];
let installed = '';

beforeAll(async () => {
  const folder = mkdtempSync(join(scratchDirectory(), 'package-'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse((await npm(args, inRepository())).stdout);
  files = packed.files.map(({ path }: { path: string }) => path);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await npm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `./${packed.filename}`],
    folder,
  );
  installed = folder;
}, 240_000);

afterAll(stopAll);

describe('the npm tarball', () => {
  test('holds what runs, what is deployed and what is read, and nothing else', () => {
    expect([...new Set(files.map((file) => file.split('/')[0]))].sort()).toEqual(TOP);
    const wrong = files.filter(
      (file) => NEVER.some((pattern) => pattern.test(file)) && !ALLOWED.includes(file),
    );
    expect(wrong).toEqual([]);
  });

  test('every entry point is in it, with its types', () => {
    const entries = Object.values<any>(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : [entry.types, entry.default],
    );
    for (const entry of [...entries, manifest.types, ...Object.values<string>(manifest.bin)])
      expect(files).toContain(entry.replace(/^\.\//, ''));
  });

  test('is published with provenance, for Node 20.19 and later', () => {
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
    expect(manifest.engines.node).toBe('>=20.19');
  });

  test('installed elsewhere, its command runs and validates a configuration', async () => {
    const command = join(installed, 'node_modules/.bin/portcullis');
    expect((await run(command, ['--version'])).stdout.trim()).toContain(manifest.version);
    const config = join(installed, 'portcullis.yaml');
    writeFileSync(
      config,
      'issuers: [{ issuer: https://login.example.com, audiences: [https://api.example.com] }]\n',
    );
    await expect(run(command, ['validate', '--config', config])).resolves.toBeDefined();
    writeFileSync(config, 'issuer: []\n');
    await expect(run(command, ['validate', '--config', config])).rejects.toMatchObject({
      code: expect.any(Number),
    });
  });

  test('installed elsewhere, its library can be imported', async () => {
    const source = "console.log(Object.keys(await import('portcullis')).length > 0)";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { cwd: installed });
    expect(stdout.trim()).toBe('true');
    expect(existsSync(join(installed, 'node_modules/typescript'))).toBe(false);
  });
});

describe('deploy/sbom.mjs', () => {
  test('makes a CycloneDX document of every package that runs, and of no other', async () => {
    const { stdout } = await run(process.execPath, [inRepository('deploy/sbom.mjs')], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const { bomFormat, metadata, components } = JSON.parse(stdout);
    expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'portcullis']);
    const names: string[] = components.map(({ name, group }: any) => (group ? `${group}/${name}` : name));
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    expect(names).not.toContain('jest');
    for (const { purl, version } of components)
      expect([purl, version]).toEqual([expect.stringMatching(/^pkg:npm\//), expect.any(String)]);
  }, 60_000);
});
