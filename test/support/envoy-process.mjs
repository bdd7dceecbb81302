// @ts-check
import { writeFileSync } from 'node:fs';
import { changedEnvoyYaml, envoyYaml } from './envoy-config.mjs';
import { freePorts } from './free-port.mjs';
import { answersOk, scratchFile, startProcess } from './processes.mjs';
import { provisionEnvoy } from './provision-envoy.mjs';

/**
 * @typedef {import('./processes.mjs').RunningProcess & {
 *   port: number, adminPort: number, url: string, adminUrl: string, stat: (name: string) => Promise<number>
 * }} RunningEnvoy
 */

/**
 * Starts an Envoy with this repository's envoy.yaml and waits until it takes requests.
 * @param {object} options
 * @param {number} options.portcullis the gate's gRPC port
 * @param {number} options.upstream the service's port
 * @param {number} [options.port] of the listener; default: a free one
 * @param {(parts: import('./envoy-config.mjs').EnvoyParts) => void} [options.change] see changedEnvoyYaml
 * @param {(line: string) => void} [options.say] takes progress lines
 * @returns {Promise<RunningEnvoy>}
 */
export async function startEnvoy(options) {
  const binary = await provisionEnvoy(options.say ? { say: options.say } : {});
  const free = await freePorts('admin', 'listener');
  const ports = {
    admin: free.admin,
    listener: options.port ?? free.listener,
    portcullis: options.portcullis,
    upstream: options.upstream,
  };
  const file = scratchFile('envoy.yaml');
  writeFileSync(file, options.change ? changedEnvoyYaml(ports, options.change) : envoyYaml(ports));
  // No hot restart: two Envoys on one machine would otherwise share its memory segment.
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '2', '--log-level', 'warning'];
  args.push('--file-flush-interval-msec', '50');
  const adminUrl = `http://127.0.0.1:${ports.admin}`;
  const started = await startProcess(binary, args, { name: 'envoy', ready: answersOk(`${adminUrl}/ready`) });
  const url = `http://127.0.0.1:${ports.listener}`;
  return {
    ...started,
    port: ports.listener,
    adminPort: ports.admin,
    url,
    adminUrl,
    stat: readStat(adminUrl),
  };
}

/**
 * @param {string} adminUrl
 * @returns {(name: string) => Promise<number>} a counter or gauge of Envoy; 0 while it is not there
 */
const readStat = (adminUrl) => async (name) => {
  const response = await fetch(`${adminUrl}/stats?format=json&filter=${encodeURIComponent(name)}`);
  const { stats } = /** @type {{ stats: { name?: string, value?: number }[] }} */ (await response.json());
  return stats.find((stat) => stat.name === name)?.value ?? 0;
};
