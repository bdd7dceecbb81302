// @ts-check
/**
 * `npm test`: everything the tests need, then the tests, then one line with the numbers.
 *
 *   node test/support/run-tests.mjs [--coverage] [arguments for jest]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './ensure-built.mjs';
import { CHROMIUM_ADVICE, findChromium } from './provision-chromium.mjs';
import { DYNAMODB_ADVICE, isDynamoWanted } from './provision-dynamodb.mjs';
import { provisionEnvoy } from './provision-envoy.mjs';
import { findPostgres, POSTGRES_ADVICE } from './provision-postgres.mjs';
import { findRedis, REDIS_ADVICE } from './provision-redis.mjs';
import { inRepository } from './repository.mjs';

/** Percent; raised when the code is better, never lowered. */
const COVERAGE_THRESHOLD = { global: { lines: 90, branches: 80 } };

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numRuntimeErrorTestSuites: number }} Summary */

/** @returns {Promise<Record<string, string>>} the programs that were found, for the tests */
async function provision() {
  ensureBuilt(say);
  /** @type {Record<string, string>} */
  const found = {};
  try {
    found['ENVOY_BIN'] = await provisionEnvoy({ say });
  } catch (error) {
    say(`${/** @type {Error} */ (error).message}\nThe tests with a real Envoy will fail.`);
  }
  const redis = findRedis();
  if (redis === undefined) say(`${REDIS_ADVICE}. The tests with a real Redis are skipped.`);
  else found['REDIS_SERVER_BIN'] = redis;
  const postgres = findPostgres();
  if (postgres === undefined) say(`${POSTGRES_ADVICE}. The tests with a real PostgreSQL are skipped.`);
  else found['POSTGRES_BIN_DIR'] = postgres;
  const browser = findChromium();
  if (browser === undefined) say(`${CHROMIUM_ADVICE}. The tests of the page /admin/ are skipped.`);
  else found['CHROMIUM_BIN'] = browser;
  if (!isDynamoWanted()) say(DYNAMODB_ADVICE);
  return found;
}

/**
 * @param {string[]} args
 * @param {Record<string, string>} programs
 * @returns {{ status: number, summary: Summary | undefined }}
 */
function runJest(args, programs) {
  const work = mkdtempSync(join(tmpdir(), 'portcullis-tests-'));
  const report = join(work, 'report.json');
  const jest = inRepository('node_modules', 'jest', 'bin', 'jest.js');
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      jest,
      '--json',
      `--outputFile=${report}`,
      ...args,
    ],
    { cwd: inRepository(), stdio: ['inherit', 2, 'inherit'], env: { ...process.env, ...programs } },
  );
  try {
    return { status: status ?? 1, summary: JSON.parse(readFileSync(report, 'utf8')) };
  } catch {
    return { status: status || 1, summary: undefined };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {string[]} args of the command line
 * @returns {string[]} jest's
 */
function jestArguments(args) {
  const rest = args.filter((arg) => arg !== '--coverage');
  if (rest.length === args.length) return rest;
  return [...rest, '--coverage', `--coverageThreshold=${JSON.stringify(COVERAGE_THRESHOLD)}`];
}

const { status, summary } = runJest(jestArguments(process.argv.slice(2)), await provision());
const failed = summary ? summary.numFailedTests + summary.numRuntimeErrorTestSuites : 1;
const skipped = summary?.numPendingTests ?? 0;
// In CI nothing may be missing: a test that is skipped there shows nothing.
const skipsFail = Boolean(process.env['CI']) && skipped > 0;
if (skipsFail) say(`${skipped} tests were skipped, and CI is set: that is a failure.`);
const numbers = `${summary?.numPassedTests ?? 0} passed, ${failed} failed`;
process.stdout.write(`${numbers}${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 || skipsFail ? 1 : status;
