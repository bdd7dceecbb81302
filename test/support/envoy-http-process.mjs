// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { freePorts } from './free-port.mjs';
import { answersOk, scratchFile, startProcess } from './processes.mjs';
import { provisionEnvoy } from './provision-envoy.mjs';
import { inRepository } from './repository.mjs';

/**
 * Starts an Envoy with deploy/envoy-http/envoy.yaml, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startEnvoyByHttp({ portcullis, upstream }) {
  const binary = await provisionEnvoy();
  const { admin, listener } = await freePorts('admin', 'listener');
  const file = scratchFile('envoy-http.yaml');
  const config = readFileSync(inRepository('deploy', 'envoy-http', 'envoy.yaml'), 'utf8')
    .replace('port_value: 9901', `port_value: ${admin}`)
    .replace('port_value: 10000', `port_value: ${listener}`)
    .replace('port_value: 9194', `port_value: ${portcullis}`)
    .replace('port_value: 8080', `port_value: ${upstream}`);
  writeFileSync(file, config);
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  const ready = answersOk(`http://127.0.0.1:${admin}/ready`);
  return { ...(await startProcess(binary, args, { name: 'envoy-http', ready })), port: listener };
}
