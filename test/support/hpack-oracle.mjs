// @ts-check
/** Field blocks by Go's golang.org/x/net/http2/hpack: the program in hpack-oracle/, built where there is a Go. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.mjs';
import { inRepository } from './repository.mjs';

const run = promisify(execFile);

/** @typedef {[name: string, value: string]} Field */
/** @typedef {{ fields?: Field[], hex?: string, tableBytes?: number, error?: string }} Block */
/** @typedef {{ do: 'encode' | 'decode', blocks: Block[] }} Connection */

/** @returns {Promise<string | undefined>} the program; undefined where there is no Go */
export async function buildHpackOracle() {
  const go = findProgram('go');
  if (go === undefined) return undefined;
  const program = join(mkdtempSync(join(tmpdir(), 'hpack-oracle-')), 'hpack-oracle');
  await run(go, ['build', '-buildvcs=false', '-o', program, '.'], {
    cwd: inRepository('test/support/hpack-oracle'),
    timeout: 5 * 60_000,
  });
  return program;
}

/**
 * @param {string} program
 * @param {Connection[]} connections
 * @returns {Connection[]} the same with what Go made of them; after a block with an error the rest is as it was
 */
export function askHpackOracle(program, connections) {
  const answer = execFileSync(program, {
    input: connections.map((connection) => `${JSON.stringify(connection)}\n`).join(''),
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
  });
  return answer
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
