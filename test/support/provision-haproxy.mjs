// @ts-check
/** Finds a HAProxy to run: HAPROXY_BIN, then the PATH and /usr/sbin. `.ci/run` installs one where it may. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, isExecutable } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess } from './processes.mjs';
import { inRepository } from './repository.mjs';

/** What to do where findHaproxy() finds none. */
export const HAPROXY_ADVICE =
  'no haproxy on the PATH; install one (Debian: apt-get install haproxy) or set HAPROXY_BIN';

/**
 * @returns {string | undefined} the path of a HAProxy
 * @throws {Error} where HAPROXY_BIN names something that cannot be run
 */
export function findHaproxy() {
  const named = process.env['HAPROXY_BIN'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`HAPROXY_BIN is ${named}, and that cannot be run`);
    return named;
  }
  return findProgram('haproxy', `${process.env['PATH'] ?? ''}:/usr/sbin`);
}

/**
 * Starts a HAProxy with the files of deploy/haproxy, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startHaproxy({ portcullis, upstream }) {
  const binary = findHaproxy();
  if (binary === undefined) throw new Error(HAPROXY_ADVICE);
  const folder = mkdtempSync(join(scratchDirectory(), 'haproxy-'));
  const port = await freePort();
  cpSync(inRepository('deploy', 'haproxy'), folder, { recursive: true });
  const file = join(folder, 'haproxy.cfg');
  const config = readFileSync(file, 'utf8')
    .replaceAll('127.0.0.1:9194', `127.0.0.1:${portcullis}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${upstream}`)
    .replace('bind :8000', `bind 127.0.0.1:${port}`);
  writeFileSync(file, config);
  const options = { name: `haproxy-${port}`, ready: listensOn(port), cwd: folder };
  return { ...(await startProcess(binary, ['-db', '-f', file], options)), port };
}
