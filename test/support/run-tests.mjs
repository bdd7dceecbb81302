// @ts-check
/**
 * `npm test`: what the tests need, then the tests, then one line with the numbers. Only what the selected files need is
 * provisioned, so that one file takes seconds.
 *
 *   node test/support/run-tests.mjs [--unit] [--watch] [--coverage] [FILE …] [options of jest]
 *
 * --unit leaves out tests that need another program or a build. --watch runs them again when a file changes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './ensure-built.mjs';
import { CHROMIUM_ADVICE, findChromium } from './provision-chromium.mjs';
import { DYNAMODB_ADVICE, isDynamoWanted } from './provision-dynamodb.mjs';
import { provisionEnvoy } from './provision-envoy.mjs';
import { goProgramNames, provisionForTests } from './provision-go.mjs';
import { findHaproxy, HAPROXY_ADVICE } from './provision-haproxy.mjs';
import { findNginx, NGINX_ADVICE } from './provision-nginx.mjs';
import { findPostgres, POSTGRES_ADVICE } from './provision-postgres.mjs';
import { findRedis, REDIS_ADVICE } from './provision-redis.mjs';
import { inRepository } from './repository.mjs';
import { needsOf, selectTests } from './test-needs.mjs';

/** Percent; raised when the code is better, never lowered. */
const COVERAGE_THRESHOLD = { global: { lines: 90, branches: 80 } };

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  inRepository('node_modules', 'jest', 'bin', 'jest.js'),
];

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numRuntimeErrorTestSuites: number }} Summary */

/**
 * @param {ReadonlySet<import('./test-needs.mjs').Need>} needs
 * @returns {Promise<Record<string, string>>} the programs that were found, for the tests
 */
async function provision(needs) {
  /** @type {Record<string, string>} */
  const found = {};
  if (needs.has('build')) ensureBuilt(say);
  if (needs.has('envoy')) {
    try {
      found['ENVOY_BIN'] = await provisionEnvoy({ say });
    } catch (error) {
      say(`${/** @type {Error} */ (error).message}\nThe tests with a real Envoy will fail.`);
    }
  }
  if (needs.has('redis')) {
    const redis = findRedis();
    if (redis === undefined) say(`${REDIS_ADVICE}. The tests with a real Redis are skipped.`);
    else found['REDIS_SERVER_BIN'] = redis;
  }
  if (needs.has('postgres')) {
    const postgres = findPostgres();
    if (postgres === undefined) say(`${POSTGRES_ADVICE}. The tests with a real PostgreSQL are skipped.`);
    else found['POSTGRES_BIN_DIR'] = postgres;
  }
  if (needs.has('chromium')) {
    const browser = findChromium();
    if (browser === undefined) say(`${CHROMIUM_ADVICE}. The tests of the page /admin/ are skipped.`);
    else found['CHROMIUM_BIN'] = browser;
  }
  if (needs.has('nginx') && findNginx() === undefined)
    say(`${NGINX_ADVICE}. The tests with a real nginx are skipped.`);
  if (needs.has('haproxy') && findHaproxy() === undefined)
    say(`${HAPROXY_ADVICE}. The tests with a real HAProxy are skipped.`);
  if (needs.has('dynamodb') && !isDynamoWanted()) say(DYNAMODB_ADVICE);
  for (const name of goProgramNames())
    if (needs.has(name)) Object.assign(found, await provisionForTests(name, say));
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
  const { status } = spawnSync(process.execPath, [...JEST, '--json', `--outputFile=${report}`, ...args], {
    cwd: inRepository(),
    stdio: ['inherit', 2, 'inherit'],
    env: { ...process.env, ...programs },
  });
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
 * @returns {{ jest: string[], needs: Set<import('./test-needs.mjs').Need> }} what jest is to run, and what that needs
 */
function plan(args) {
  const own = new Set(['--unit', '--coverage']);
  const rest = args.filter((arg) => !own.has(arg));
  const selected = selectTests(rest.filter((arg) => !arg.startsWith('-')));
  const files = args.includes('--unit') ? selected.filter((file) => needsOf(file).size === 0) : selected;
  const options = rest.filter((arg) => arg.startsWith('-'));
  if (args.includes('--coverage'))
    options.push('--coverage', `--coverageThreshold=${JSON.stringify(COVERAGE_THRESHOLD)}`);
  const needs = new Set(files.flatMap((file) => [...needsOf(file)]));
  const isWhole = rest.length === options.length && !args.includes('--unit');
  return { jest: isWhole ? options : ['--runTestsByPath', ...files, ...options], needs };
}

const { jest, needs } = plan(process.argv.slice(2));
if (jest.length === 1 && jest[0] === '--runTestsByPath') {
  say('no test file is named like that');
  process.exit(1);
}
const programs = await provision(needs);
if (jest.some((arg) => arg.startsWith('--watch'))) {
  const { status } = spawnSync(process.execPath, [...JEST, ...jest], {
    cwd: inRepository(),
    stdio: 'inherit',
    env: { ...process.env, ...programs },
  });
  process.exit(status ?? 1);
}
const { status, summary } = runJest(jest, programs);
const failed = summary ? summary.numFailedTests + summary.numRuntimeErrorTestSuites : 1;
const skipped = summary?.numPendingTests ?? 0;
// In CI nothing may be missing: a test that is skipped there shows nothing.
const skipsFail = Boolean(process.env['CI']) && skipped > 0;
if (skipsFail) say(`${skipped} tests were skipped, and CI is set: that is a failure.`);
const numbers = `${summary?.numPassedTests ?? 0} passed, ${failed} failed`;
process.stdout.write(`${numbers}${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 || skipsFail ? 1 : status;
