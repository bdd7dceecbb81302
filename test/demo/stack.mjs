// @ts-check
/** The demo's five programs on free ports. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { startEchoUpstream } from '../support/echo-upstream.mjs';
import { startEnvoy } from '../support/envoy-process.mjs';
import { freePorts } from '../support/free-port.mjs';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { answersOk, scratchFile, startProcess } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

/** Without an error between them: each of Envoy's threads has its connection then, most likely. */
const WARM_REQUESTS = 5;
const WARM_REQUESTS_AT_MOST = 200;

/** The configuration as it is in the repository. */
const CONFIG = 'deploy/demo/portcullis.yaml';

/**
 * @param {string} name
 * @param {number} port
 * @returns {Promise<string>} its issuer
 */
async function startAuthorizationServer(name, port) {
  const issuer = `http://127.0.0.1:${port}`;
  await startProcess(process.execPath, [inRepository('test/demo/authorization-server.mjs')], {
    name,
    env: { PORT: String(port), ISSUER: issuer },
    ready: answersOk(`${issuer}/.well-known/openid-configuration`),
  });
  return issuer;
}

/**
 * @param {{ grpc: number, admin: number, issuer: number }} ports
 * @returns {string} the path of the demo's configuration with the addresses replaced
 */
function writeConfig(ports) {
  let text = readFileSync(inRepository(CONFIG), 'utf8');
  for (const [written, port] of /** @type {const} */ ([
    ['127.0.0.1:9191', ports.grpc],
    ['127.0.0.1:9192', ports.admin],
    ['127.0.0.1:9400', ports.issuer],
  ])) {
    if (text.split(written).length !== 2) throw new Error(`${CONFIG} must have ${written} exactly once`);
    text = text.replace(written, `127.0.0.1:${port}`);
  }
  text = text.replace('./clients', inRepository('deploy/demo/clients'));
  const file = scratchFile('demo.yaml');
  writeFileSync(file, text);
  return file;
}

/**
 * The first requests of new processes on a busy machine can be slower than the gate's time-out.
 * @param {string} gate
 */
async function warmUp(gate) {
  for (let good = 0, sent = 0; good < WARM_REQUESTS && sent < WARM_REQUESTS_AT_MOST; sent += 1) {
    const response = await fetch(`${gate}/me`, { headers: { connection: 'close' } });
    await response.arrayBuffer();
    good = response.status < 500 ? good + 1 : 0;
  }
}

/**
 * @typedef {object} DemoStack
 * @property {string} gate where clients go: Envoy
 * @property {string} issuer the authorization server that Portcullis trusts
 * @property {string} foreignIssuer one that it does not
 * @property {string} admin Portcullis' admin address
 * @property {() => Promise<void>} close the part that is no process
 */

/**
 * Starts everything. The processes are ended by stopAll().
 * @param {(line: string) => void} say takes progress lines
 * @returns {Promise<DemoStack>}
 */
export async function startStack(say) {
  const ports = await freePorts('issuer', 'foreign', 'grpc', 'admin', 'upstream');
  say('starting two authorization servers (oidc-provider), an upstream, Portcullis and Envoy …');
  const [issuer, foreignIssuer, upstream] = await Promise.all([
    startAuthorizationServer('authorization-server', ports.issuer),
    startAuthorizationServer('foreign-authorization-server', ports.foreign),
    startEchoUpstream({ port: ports.upstream }),
  ]);
  const [portcullis, envoy] = await Promise.all([
    startPortcullis({
      config: writeConfig(ports),
      ports,
      env: { DEMO_NONCE_SECRET: randomBytes(32).toString('base64') },
      awaitKeys: true,
    }),
    startEnvoy({ portcullis: ports.grpc, upstream: ports.upstream, say }),
  ]);
  await warmUp(envoy.url);
  return { gate: envoy.url, issuer, foreignIssuer, admin: portcullis.adminUrl, close: upstream.close };
}
