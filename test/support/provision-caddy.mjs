// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, scratchFile, startProcess } from './processes.mjs';
import { findGoProgram } from './provision-go.mjs';
import { inRepository } from './repository.mjs';

/**
 * Starts a Caddy with deploy/caddy/Caddyfile, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startCaddy({ portcullis, upstream }) {
  const binary = findGoProgram('caddy');
  if (binary === undefined) throw new Error('no caddy: set CADDY_BIN, or PORTCULLIS_NIGHTLY=1');
  const port = await freePort();
  const file = scratchFile('Caddyfile');
  const config = readFileSync(inRepository('deploy', 'caddy', 'Caddyfile'), 'utf8')
    .replace('127.0.0.1:9194', `127.0.0.1:${portcullis}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${upstream}`)
    .replace('http://:8000', `http://:${port}`);
  writeFileSync(file, config);
  const env = { XDG_DATA_HOME: scratchDirectory(), XDG_CONFIG_HOME: scratchDirectory() };
  const options = { name: `caddy-${port}`, ready: listensOn(port), env };
  const args = ['run', '--adapter', 'caddyfile', '--config', file];
  return { ...(await startProcess(binary, args, options)), port };
}
