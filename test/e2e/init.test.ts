/** From nothing to 200 and 401: `init`, an issuer that works, the server, and real Envoy with the file that was written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { startEchoUpstream } from '../support/echo-upstream.mjs';
import { FakeIssuer } from '../support/fake-issuer.js';
import { freePorts } from '../support/free-port.mjs';
import { answersOk, scratchFile, startProcess, stopAll } from '../support/processes.mjs';
import { provisionEnvoy } from '../support/provision-envoy.mjs';
import { inRepository } from '../support/repository.mjs';
import { accessClaims, AUDIENCE, mintToken, testKey } from '../support/tokens.js';

const issuers: FakeIssuer[] = [];
const upstreams: { close: () => Promise<void> }[] = [];

afterAll(async () => {
  await stopAll();
  for (const issuer of issuers) await issuer.stop();
  for (const upstream of upstreams) await upstream.close();
});

const program = inRepository('bin', 'portcullis.js');

/** Ports of the example are taken on a machine that runs many tests. */
function replacePorts(file: string, ports: Readonly<Record<string, number>>): void {
  const text = Object.entries(ports).reduce(
    (all, [from, to]) =>
      all.replaceAll(new RegExp(`(127\\.0\\.0\\.1:|port_value: )${from}\\b`, 'g'), `$1${to}`),
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, text);
}

test('init → validate → serve → Envoy: 401 without a token, 200 with one', async () => {
  const key = testKey('ES256');
  const issuer = await FakeIssuer.start();
  issuers.push(issuer);
  issuer.keys = [key.jwk];
  const dir = join(dirname(scratchFile('init')), 'walk');
  const args = ['init', '--issuer', issuer.issuer, '--audience', AUDIENCE, '--dir', dir];
  const init = await startProcess(process.execPath, [program, ...args], { name: 'init' });
  expect(await init.exited).toMatchObject({ code: 0 });

  const { grpc, admin, edge, envoyAdmin } = await freePorts('grpc', 'admin', 'edge', 'envoyAdmin');
  const upstream = await startEchoUpstream({ port: 0 });
  upstreams.push(upstream);
  const config = join(dir, 'portcullis.yaml');
  const envoy = join(dir, 'envoy.yaml');
  replacePorts(config, { 9191: grpc, 9192: admin });
  replacePorts(envoy, { 9191: grpc, 9901: envoyAdmin, 10000: edge, 8080: upstream.port });
  await startProcess(process.execPath, [program, 'serve', '--config', config], {
    name: 'portcullis',
    ready: answersOk(`http://127.0.0.1:${admin}/readyz`),
  });
  await startProcess(await provisionEnvoy(), ['-c', envoy, '--concurrency', '1', '--disable-hot-restart'], {
    name: 'envoy',
    ready: answersOk(`http://127.0.0.1:${envoyAdmin}/ready`),
  });
  const nowS = Math.floor(Date.now() / 1000);
  const claims = { ...accessClaims(), iss: issuer.issuer, iat: nowS, exp: nowS + 300, sub: 'somebody' };
  const ask = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${edge}/orders`, { headers });
  expect((await ask({})).status).toBe(401);
  const answer = await ask({ authorization: `Bearer ${mintToken({ key, claims })}` });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('somebody');
});
