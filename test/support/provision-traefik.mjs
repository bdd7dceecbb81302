// @ts-check
/**
 * Finds a Traefik to run: TRAEFIK_BIN, then the PATH. Its module cannot be built by `go install`, since it replaces others by folders
 * that it does not hold; a release of it can be downloaded.
 */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, isExecutable } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess } from './processes.mjs';
import { inRepository } from './repository.mjs';

/**
 * @returns {string | undefined} the path of a Traefik
 * @throws {Error} where TRAEFIK_BIN names something that cannot be run
 */
export function findTraefik() {
  const named = process.env['TRAEFIK_BIN'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`TRAEFIK_BIN is ${named}, and that cannot be run`);
    return named;
  }
  return findProgram('traefik');
}

/**
 * @param {number} port
 * @returns {() => Promise<boolean>} whether the file with the routes was read: before that every request is 404
 */
const hasRoutes = (port) => async () => {
  if (!(await listensOn(port)())) return false;
  const { status } = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) });
  return status !== 404;
};

/**
 * Starts a Traefik with the files of deploy/traefik, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startTraefik({ portcullis, upstream }) {
  const binary = findTraefik();
  if (binary === undefined) throw new Error('no traefik on the PATH, and TRAEFIK_BIN is not set');
  const folder = mkdtempSync(join(scratchDirectory(), 'traefik-'));
  const port = await freePort();
  cpSync(inRepository('deploy', 'traefik'), folder, { recursive: true });
  /** @type {(name: string, from: string, to: string) => void} */
  const replace = (name, from, to) => {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  };
  replace('traefik.yaml', 'address: :8000', `address: 127.0.0.1:${port}`);
  replace('dynamic.yaml', '127.0.0.1:9194', `127.0.0.1:${portcullis}`);
  replace('dynamic.yaml', '127.0.0.1:8080', `127.0.0.1:${upstream}`);
  const options = { name: `traefik-${port}`, ready: hasRoutes(port), cwd: folder };
  return { ...(await startProcess(binary, ['--configFile=traefik.yaml'], options)), port };
}
