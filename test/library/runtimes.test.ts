/** The library in other runtimes, where they are given: BUN_BIN, DENO_BIN. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { inRepository } from '../support/repository.mjs';

const { BUN_BIN, DENO_BIN } = process.env;
const RUNTIMES: [name: string, program: string, args: string[]][] = [
  ['Node', process.execPath, []],
  ...(BUN_BIN === undefined ? [] : [['Bun', BUN_BIN, ['run']] as [string, string, string[]]]),
  ...(DENO_BIN === undefined
    ? []
    : [['Deno', DENO_BIN, ['run', '-A', '--no-lock']] as [string, string, string[]]]),
];

beforeAll(() => ensureBuilt(), 120_000);

describe('createGate()', () => {
  test.each(RUNTIMES)('decides and ends in %s', (_name, program, args) => {
    const probe = inRepository('test', 'library', 'runtime-probe.mjs');
    const env = { ...process.env, NODE_OPTIONS: '' };
    const output = execFileSync(program, [...args, probe], { encoding: 'utf8', env, timeout: 25_000 });
    expect(output.trim()).toBe('alice invalid_signature');
  });
});
