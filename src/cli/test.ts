import { writeFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import { parseCaseFile } from '../policy-tests/case-file.js';
import { formatJunit, formatReport, isFailed, type TableResult } from '../policy-tests/report.js';
import { runCases } from '../policy-tests/run-cases.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';
import { loadOrReport } from './load.js';
import { reportWarnings } from './problems.js';
import { readInput } from './read-input.js';

/** The options of `test`. */
export interface TestOptions {
  readonly config: string;
  /** At least one. */
  readonly files: readonly string[];
  /** Where the JUnit report goes. */
  readonly junit?: string;
}

/**
 * `portcullis test`: tables of requests against a configuration. Opens no port, asks nobody, writes nothing but the JUnit
 * report.
 *
 * @returns 1 where a case is not as expected, and where a file is bad
 */
export async function runTest({ config: file, files, junit }: TestOptions, io: CliIo): Promise<ExitCode> {
  const loaded = await loadOrReport(file, io);
  if (loaded === undefined) return EXIT.failed;
  reportWarnings(loaded, io);
  const tables: TableResult[] = [];
  let isBad = false;
  for (const one of files) {
    const results = await runFile(one, loaded.config, io);
    if (results === undefined) isBad = true;
    else tables.push({ file: one, results });
  }
  if (tables.length > 0) io.out(formatReport(tables));
  if (junit !== undefined && !writeJunit(junit, tables, io)) isBad = true;
  const failed = tables.some(({ results }) => results.some(isFailed));
  return isBad || failed ? EXIT.failed : EXIT.ok;
}

async function runFile(file: string, config: Config, io: CliIo): Promise<TableResult['results'] | undefined> {
  const content = await readInput(file, io);
  if (content === undefined) return undefined;
  try {
    const issuers = [
      ...config.issuers.map(({ issuer }) => issuer),
      ...(config.tokens ? [config.tokens.issuer] : []),
    ];
    return await runCases(config, parseCaseFile(content, file, issuers), Date.now());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) io.err(formatProblem(problem));
    return undefined;
  }
}

function writeJunit(file: string, tables: readonly TableResult[], io: CliIo): boolean {
  try {
    writeFileSync(file, formatJunit(tables));
    return true;
  } catch (error) {
    io.err(`${file}: ${describeError(error)}`);
    return false;
  }
}
