// @ts-check
/**
 * Finds a program that is published as a Go module: its environment variable (HELM_BIN for helm), then the PATH, then a
 * cache folder outside of the checkout, which `go install` fills once per version through the Go module proxy. Go
 * verifies each module against its checksum database.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, isExecutable } from './find-program.mjs';
import { makeOnce } from './with-lock.mjs';

const run = promisify(execFile);

/**
 * @typedef {object} GoProgram
 * @property {string} name of the binary
 * @property {string} module path of the main package
 * @property {string} version pinned
 * @property {readonly string[]} [tags] build tags
 * @property {boolean} [nightly] too heavy to build in `.ci/run`: built only where PORTCULLIS_NIGHTLY is 1
 */

/** @satisfies {Record<string, Omit<GoProgram, 'name'>>} What the tests run. */
const GO_PROGRAMS = {
  caddy: { module: 'github.com/caddyserver/caddy/v2/cmd/caddy', version: 'v2.11.9', nightly: true },
  actionlint: { module: 'github.com/rhysd/actionlint/cmd/actionlint', version: 'v1.7.12' },
  grpcurl: { module: 'github.com/fullstorydev/grpcurl/cmd/grpcurl', version: 'v1.9.4', nightly: true },
  h2spec: { module: 'github.com/summerwind/h2spec/cmd/h2spec', version: 'v2.2.1+incompatible' },
  helm: { module: 'helm.sh/helm/v3/cmd/helm', version: 'v3.22.0', nightly: true },
  // Without service discovery, which checks of rules do not use, it builds in a third of the time.
  promtool: {
    module: 'github.com/prometheus/prometheus/cmd/promtool',
    version: 'v0.316.0',
    tags: ['remove_all_sd'],
    nightly: true,
  },
};

/** @typedef {keyof typeof GO_PROGRAMS} GoProgramName */

/** On two busy cores helm takes six minutes. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

/** Where Go's own archive is unpacked, which is not on every PATH. */
const USUAL_GO = join(process.env['GOROOT'] || '/usr/local/go', 'bin', 'go');

/** Shared by every checkout of this user. */
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'portcullis-tools');

/** @param {string} name */
const variableOf = (name) => `${name.toUpperCase().replaceAll('-', '_')}_BIN`;

/** @param {string} cache @param {GoProgram} program */
const cachedPath = (cache, { name, version }) => join(cache, `${name}-${version}`, name);

/**
 * @param {GoProgramName} name
 * @returns {GoProgram}
 */
const goProgram = (name) => ({ name, ...GO_PROGRAMS[name] });

/** @returns {GoProgramName[]} */
export const goProgramNames = () => /** @type {GoProgramName[]} */ (Object.keys(GO_PROGRAMS));

/**
 * @param {GoProgramName} name
 * @returns {boolean} whether its absence is a failure in CI: heavy ones are asked for with PORTCULLIS_NIGHTLY=1, or are there
 */
export const isGoProgramWanted = (name) =>
  goProgram(name).nightly !== true ||
  process.env['PORTCULLIS_NIGHTLY'] === '1' ||
  findGoProgram(name) !== undefined;

/**
 * Builds nothing.
 *
 * @param {GoProgramName | GoProgram} program
 * @param {string} [cache]
 * @returns {string | undefined} the path of the program, where it is to be had at once
 * @throws {Error} where the environment variable names something that cannot be run
 */
export function findGoProgram(program, cache = CACHE) {
  const wanted = typeof program === 'string' ? goProgram(program) : program;
  const named = process.env[variableOf(wanted.name)];
  if (named) {
    if (!isExecutable(named))
      throw new Error(`${variableOf(wanted.name)} is ${named}, and that cannot be run`);
    return named;
  }
  const cached = cachedPath(cache, wanted);
  return findProgram(wanted.name) ?? (isExecutable(cached) ? cached : undefined);
}

/**
 * @param {GoProgramName} name
 * @param {(line: string) => void} say
 * @returns {Promise<Record<string, string>>} its environment variable; nothing, with a loud line, where it is not to be had
 */
export async function provisionForTests(name, say) {
  if (!isGoProgramWanted(name)) {
    say(`${name} was not asked for (PORTCULLIS_NIGHTLY=1); its tests are left out.`);
    return {};
  }
  try {
    return { [variableOf(name)]: await provisionGoProgram({ ...goProgram(name), say }) };
  } catch (error) {
    say(`${/** @type {Error} */ (error).message}. The tests with a real ${name} are skipped.`);
    return {};
  }
}

/**
 * @param {GoProgram & { say?: (line: string) => void, cache?: string }} options
 * @returns {Promise<string>} the path of the program; built where it is not to be had
 * @throws {Error} with what was tried, and what to do
 */
export async function provisionGoProgram({ say = () => {}, cache = CACHE, ...program }) {
  const found = findGoProgram(program, cache);
  if (found !== undefined) return found;
  const path = cachedPath(cache, program);
  const go = findProgram('go') ?? (isExecutable(USUAL_GO) ? USUAL_GO : undefined);
  if (go === undefined) throw unavailable(program, 'there is no `go` on the PATH');
  const lock = join(cache, `${program.name}.lock`);
  await makeOnce({ program: path, lock }, () => build({ go, path, program, say }));
  return path;
}

/** @param {{ go: string, path: string, program: GoProgram, say: (line: string) => void }} options */
async function build({ go, path, program, say }) {
  const { name, module, version, tags = [] } = program;
  const cache = dirname(dirname(path));
  const work = await mkdtemp(join(cache, 'build-'));
  // GOTOOLCHAIN: Go fetches no other Go of its own accord.
  const env = { ...process.env, GOBIN: work, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' };
  const flags = ['-trimpath', '-ldflags=-s -w', `-tags=${tags.join(',')}`];
  try {
    say(`building ${name} ${version} with Go, once (some minutes) …`);
    const options = { cwd: work, env, timeout: BUILD_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
    await run(go, ['install', ...flags, `${module}@${version}`], options);
    await mkdir(dirname(path), { recursive: true });
    await rename(join(work, name), path);
    say(`${name} ${version} is in ${dirname(path)}`);
  } catch (error) {
    const { stderr, message } = /** @type {{ stderr?: string, message: string }} */ (error);
    throw unavailable(program, `go install: ${stderr?.trim().split('\n').at(-1) || message}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @param {GoProgram} program @param {string} why */
const unavailable = ({ name, module, version }, why) =>
  new Error(
    `${name} is not on the PATH, ${variableOf(name)} is not set, and it could not be built: ${why}. ` +
      `Install Go (https://go.dev/doc/install), or run \`go install ${module}@${version}\``,
  );
