// @ts-check
/** Finds a Redis or Valkey server to run: REDIS_SERVER_BIN, then the PATH. `.ci/run` installs one where it may. */
import { findProgram, isExecutable } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess } from './processes.mjs';

const NAMES = ['redis-server', 'valkey-server'];

/** What to do where findRedis() finds none. */
export const REDIS_ADVICE =
  'no redis-server or valkey-server on the PATH; install one (Debian: apt-get install redis-server) or set REDIS_SERVER_BIN';

/**
 * @returns {string | undefined} the path of a server
 * @throws {Error} where REDIS_SERVER_BIN names something that cannot be run
 */
export function findRedis() {
  const named = process.env['REDIS_SERVER_BIN'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`REDIS_SERVER_BIN is ${named}, and that cannot be run`);
    return named;
  }
  return NAMES.map((name) => findProgram(name)).find((path) => path !== undefined);
}

/**
 * @param {object} [options]
 * @param {number} [options.port] default: a free one
 * @param {readonly string[]} [options.args] more of its options
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number, url: string }>} an empty server that
 *   keeps nothing on disk
 */
export async function startRedis(options = {}) {
  const binary = findRedis();
  if (binary === undefined) throw new Error(REDIS_ADVICE);
  const port = options.port ?? (await freePort());
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  args.push('--dir', scratchDirectory(), ...(options.args ?? []));
  const started = await startProcess(binary, args, { name: `redis-${port}`, ready: listensOn(port) });
  return { ...started, port, url: `redis://127.0.0.1:${port}` };
}
