// @ts-check
/** The demo's five programs on free ports. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { startEchoUpstream } from '../support/echo-upstream.mjs';
import { startEnvoy } from '../support/envoy-process.mjs';
import { freePorts } from '../support/free-port.mjs';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { answersOk, scratchFile, startProcess } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

const run = promisify(execFile);

/** Without an error between them: each of Envoy's threads has its connection then, most likely. */
const WARM_REQUESTS = 5;
const WARM_REQUESTS_AT_MOST = 200;

/** The configuration as it is in the repository. */
const CONFIG = 'deploy/demo/portcullis.yaml';

/**
 * @param {readonly string[]} args
 * @returns {Promise<string>} what `portcullis` prints
 */
async function portcullis(...args) {
  return (await run(process.execPath, [inRepository('bin', 'portcullis.js'), ...args])).stdout;
}

/**
 * Makes what the configuration takes from the environment.
 * @returns {Promise<{ env: Record<string, string>, adminToken: string }>}
 */
async function makeSecrets() {
  const [keys, bootstrap] = await Promise.all([
    portcullis('keys', 'generate'),
    portcullis('pat', 'bootstrap', '--json'),
  ]);
  const { token: adminToken, secretPhc } = JSON.parse(bootstrap);
  const nonceSecret = randomBytes(32).toString('base64');
  return {
    env: { DEMO_NONCE_SECRET: nonceSecret, DEMO_SIGNING_KEYS: keys, DEMO_ADMIN_PHC: secretPhc },
    adminToken,
  };
}

/**
 * @param {string} name
 * @param {{ port: number, logoutAt?: number }} ports of the server, and of whom it notifies of logouts
 * @returns {Promise<string>} its issuer
 */
async function startAuthorizationServer(name, { port, logoutAt }) {
  const issuer = `http://127.0.0.1:${port}`;
  await startProcess(process.execPath, [inRepository('test/demo/authorization-server.mjs')], {
    name,
    env: {
      PORT: String(port),
      ISSUER: issuer,
      ...(logoutAt === undefined ? {} : { LOGOUT_URI: `http://127.0.0.1:${logoutAt}/logout/backchannel` }),
    },
    ready: answersOk(`${issuer}/.well-known/openid-configuration`),
  });
  return issuer;
}

/**
 * @param {{ grpc: number, admin: number, public: number, issuer: number }} ports
 * @returns {string} the path of the demo's configuration with the addresses replaced
 */
function writeConfig(ports) {
  let text = readFileSync(inRepository(CONFIG), 'utf8');
  for (const [written, port] of /** @type {const} */ ([
    ['127.0.0.1:9191', ports.grpc],
    ['127.0.0.1:9192', ports.admin],
    ['127.0.0.1:9193', ports.public],
    ['127.0.0.1:9400', ports.issuer],
  ])) {
    if (!text.includes(written)) throw new Error(`${CONFIG} must have ${written}`);
    text = text.replaceAll(written, `127.0.0.1:${port}`);
  }
  text = text.replaceAll('./clients', inRepository('deploy/demo/clients'));
  text = text.replace('./demo.db', scratchFile('demo.db'));
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
 * @property {string} publicUrl Portcullis' public port
 * @property {string} adminToken the personal access token of its administrator
 * @property {() => Promise<void>} close the part that is no process
 */

/**
 * Starts everything. The processes are ended by stopAll().
 * @param {(line: string) => void} say takes progress lines
 * @returns {Promise<DemoStack>}
 */
export async function startStack(say) {
  const ports = await freePorts('issuer', 'foreign', 'grpc', 'admin', 'public', 'upstream');
  say('starting two authorization servers (oidc-provider), an upstream, Portcullis and Envoy …');
  const [issuer, foreignIssuer, upstream, secrets] = await Promise.all([
    startAuthorizationServer('authorization-server', { port: ports.issuer, logoutAt: ports.public }),
    startAuthorizationServer('foreign-authorization-server', { port: ports.foreign }),
    startEchoUpstream({ port: ports.upstream }),
    makeSecrets(),
  ]);
  const [gate, envoy] = await Promise.all([
    startPortcullis({
      config: writeConfig(ports),
      ports,
      env: secrets.env,
      awaitKeys: true,
    }),
    startEnvoy({ portcullis: ports.grpc, upstream: ports.upstream, say }),
  ]);
  await warmUp(envoy.url);
  return {
    gate: envoy.url,
    issuer,
    foreignIssuer,
    admin: gate.adminUrl,
    publicUrl: `http://127.0.0.1:${ports.public}`,
    adminToken: secrets.adminToken,
    close: upstream.close,
  };
}
