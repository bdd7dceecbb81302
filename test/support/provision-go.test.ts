import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchDirectory, stopAll } from './processes.mjs';
import { inRepository } from './repository.mjs';
import { needsOf } from './test-needs.mjs';

const run = promisify(execFile);
afterAll(stopAll);

const folder = (): string => mkdtempSync(join(scratchDirectory(), 'folder-'));

/** A program of that name, in a folder of its own. */
const fake = (name: string, script: string): string => {
  const path = folder();
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
};

/** Writes the program `tool`, and into `log` what it was asked for. */
const fakeGo = (log: string): string =>
  fake(
    'go',
    `echo "$GOTOOLCHAIN $CGO_ENABLED $*" >> ${log}\nprintf '#!/bin/sh\\n' > "$GOBIN/tool"\n/bin/chmod 755 "$GOBIN/tool"`,
  );

/** provisionGoProgram() `times` at once in a process with this environment: the paths, or the errors' messages. */
async function provision(env: Record<string, string>, cache: string, times = 1): Promise<string[]> {
  const source = `
    import { provisionGoProgram } from ${JSON.stringify(inRepository('test/support/provision-go.mjs'))};
    const program = { name: 'tool', module: 'example.com/tool/cmd/tool', version: 'v1.2.3', tags: ['small'] };
    const found = Array.from({ length: ${times} }, () =>
      provisionGoProgram({ ...program, cache: ${JSON.stringify(cache)} }).catch((error) => error.message));
    console.log((await Promise.all(found)).join('\\n'));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { env });
  return stdout.trim().split('\n');
}

describe('provisionGoProgram()', () => {
  test('takes the program that its variable names, and looks no further where that cannot be run', async () => {
    const named = join(fake('other', 'true'), 'other');
    expect(await provision({ TOOL_BIN: named, PATH: '' }, folder())).toEqual([named]);
    const [message] = await provision({ TOOL_BIN: '/nowhere', PATH: fake('tool', 'true') }, folder());
    expect(message).toBe('TOOL_BIN is /nowhere, and that cannot be run');
  });

  test('takes one on the PATH, then one that was built before', async () => {
    const path = fake('tool', 'true');
    expect(await provision({ PATH: path }, folder())).toEqual([join(path, 'tool')]);
    const cache = folder();
    mkdirSync(join(cache, 'tool-v1.2.3'));
    writeFileSync(join(cache, 'tool-v1.2.3', 'tool'), '', { mode: 0o755 });
    expect(await provision({ PATH: '' }, cache)).toEqual([join(cache, 'tool-v1.2.3', 'tool')]);
  });

  test('builds the pinned version once, however many want it', async () => {
    const log = join(folder(), 'log');
    const cache = folder();
    const paths = await provision({ PATH: fakeGo(log) }, cache, 3);
    expect(paths).toEqual(Array.from({ length: 3 }, () => join(cache, 'tool-v1.2.3', 'tool')));
    const { stdout } = await run('cat', [log]);
    expect(stdout).toBe(
      'local 0 install -trimpath -ldflags=-s -w -tags=small example.com/tool/cmd/tool@v1.2.3\n',
    );
  });

  test.each([
    ['there is no Go', () => folder(), 'there is no `go` on the PATH'],
    ['Go fails', () => fake('go', 'echo first >&2; echo no network >&2; exit 1'), 'go install: no network'],
    ['Go builds another program', () => fake('go', 'true'), 'go install: ENOENT'],
  ])('says what to do where %s', async (_name, path, why) => {
    const [message] = await provision({ PATH: path(), GOROOT: folder() }, folder());
    expect(message).toContain(why);
    expect(message).toContain('go install example.com/tool/cmd/tool@v1.2.3');
  });
});

describe('needsOf()', () => {
  test('finds the Go programs by name', () => {
    const file = join(folder(), 'some.test.ts');
    writeFileSync(file, "const helm = findGoProgram('helm');");
    expect([...needsOf(file)]).toEqual(['helm']);
    expect([...needsOf(inRepository('test/support/provision-envoy.test.ts'))]).not.toContain('helm');
  });
});
