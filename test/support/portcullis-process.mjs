// @ts-check
/** The built product as a program, with a configuration of the test's own. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { freePorts } from './free-port.mjs';
import { answersOk, scratchFile, startProcess } from './processes.mjs';
import { inRepository } from './repository.mjs';

/**
 * @typedef {import('./processes.mjs').RunningProcess & {
 *   grpcPort: number, adminPort: number, adminUrl: string, metrics: () => Promise<string>
 * }} RunningPortcullis
 */

/**
 * Starts `portcullis serve` and waits until it lives (or until it has keys, with `awaitKeys`).
 * @param {object} options
 * @param {Record<string, unknown> | string} options.config the configuration, or the path of one; its `server.grpc`
 *   and `server.admin` are replaced, unless it is a path
 * @param {Record<string, string>} [options.env]
 * @param {{ grpc: number, admin: number }} [options.ports] default: free ones; must be given with a path
 * @param {boolean} [options.awaitKeys] wait for /readyz
 * @param {string} [options.name] for messages
 * @returns {Promise<RunningPortcullis>}
 */
export async function startPortcullis(options) {
  const ports = options.ports ?? (await freePorts('grpc', 'admin'));
  const file = typeof options.config === 'string' ? options.config : writeConfig(options.config, ports);
  const adminUrl = `http://127.0.0.1:${ports.admin}`;
  const started = await startProcess(
    process.execPath,
    [inRepository('bin', 'portcullis.js'), 'serve', '--config', file],
    {
      name: options.name ?? 'portcullis',
      ready: answersOk(`${adminUrl}/${options.awaitKeys ? 'readyz' : 'livez'}`),
      ...(options.env ? { env: options.env } : {}),
    },
  );
  const metrics = async () => (await fetch(`${adminUrl}/metrics`)).text();
  return { ...started, grpcPort: ports.grpc, adminPort: ports.admin, adminUrl, metrics };
}

/**
 * @param {Record<string, unknown>} config
 * @param {{ grpc: number, admin: number }} ports
 * @returns {string} the path of the file
 */
function writeConfig(config, ports) {
  const server = /** @type {Record<string, unknown>} */ (config['server'] ?? {});
  const addresses = { grpc: `127.0.0.1:${ports.grpc}`, admin: `127.0.0.1:${ports.admin}` };
  // The whole of the end-to-end tests on the other transport: PORTCULLIS_TEST_TRANSPORT=lean.
  const transport = process.env['PORTCULLIS_TEST_TRANSPORT'];
  const file = scratchFile('portcullis.yaml');
  writeFileSync(
    file,
    stringify({ ...config, server: { ...(transport ? { transport } : {}), ...server, ...addresses } }),
  );
  return file;
}
