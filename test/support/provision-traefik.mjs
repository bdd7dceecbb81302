// @ts-check
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess } from './processes.mjs';
import { findGoProgram } from './provision-go.mjs';
import { inRepository } from './repository.mjs';

/**
 * Starts a Traefik with the files of deploy/traefik, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startTraefik({ portcullis, upstream }) {
  const binary = findGoProgram('traefik');
  if (binary === undefined) throw new Error('no traefik: set TRAEFIK_BIN, or PORTCULLIS_NIGHTLY=1');
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
  const options = { name: `traefik-${port}`, ready: listensOn(port), cwd: folder };
  return { ...(await startProcess(binary, ['--configFile=traefik.yaml'], options)), port };
}
