/** The life of the real process: signals, reloads, rotating certificates, drain. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Client, credentials } from '@grpc/grpc-js';
import { stringify } from 'yaml';
import { createCertificate } from '../support/certificates.mjs';
import { freePorts } from '../support/free-port.mjs';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, startProcess, stopAll } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';
import { AUDIENCE, ISSUER, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

afterAll(stopAll);

const BASE = {
  issuers: [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }],
};

interface Started {
  readonly gate: RunningPortcullis;
  /** Writes the file again. */
  readonly change: (server: object, over?: object) => void;
}

async function start(server: object, over: object = {}): Promise<Started> {
  const ports = await freePorts('grpc', 'admin');
  const file = scratchFile('gate.yaml');
  const addresses = { grpc: `127.0.0.1:${ports.grpc}`, admin: `127.0.0.1:${ports.admin}` };
  const change: Started['change'] = (next, more = {}) =>
    writeFileSync(file, stringify({ ...BASE, ...more, server: { ...next, ...addresses } }));
  change(server, over);
  return { gate: await startPortcullis({ config: file, ports, awaitKeys: true }), change };
}

const json = async (url: string): Promise<any> => (await fetch(url)).json();

/** Of grpc.health.v1; the status as its number, or the error's code below 0. */
function health(port: number): Promise<number> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise<number>((resolve) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      same,
      same,
      Buffer.alloc(0),
      { deadline: Date.now() + 2000 },
      (error, bytes) => resolve(error === null ? (bytes?.[1] ?? 0) : -error.code),
    );
  }).finally(() => client.close());
}

async function shownName(port: number): Promise<unknown> {
  const socket: TLSSocket = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('SIGHUP during the start does not end the process, and reloads once it serves [operators 9]', async () => {
  const ports = await freePorts('grpc', 'admin');
  const file = scratchFile('gate.yaml');
  const server = { grpc: `127.0.0.1:${ports.grpc}`, admin: `127.0.0.1:${ports.admin}` };
  writeFileSync(file, stringify({ ...BASE, server }));
  const gate = await startProcess(
    process.execPath,
    // The thread that reads the configuration is started early, long before the server listens for signals itself.
    [
      '--import',
      'data:text/javascript,process.once("worker",()=>process.kill(process.pid,"SIGHUP"))',
      inRepository('bin', 'portcullis.js'),
      'serve',
      '--config',
      file,
    ],
    { name: 'hung-up' },
  );
  const admin = `http://127.0.0.1:${ports.admin}`;
  await until(async () => {
    expect(gate.isRunning()).toBe(true);
    const status = await json(`${admin}/status`).catch(() => undefined);
    return status?.config.lastReload?.outcome === 'success';
  });
});

describe.each([
  ['one process', 1],
  ['workers', 2],
])('%s', (_name, workers) => {
  test('a reload is seen in /status, /readyz and the metrics, whatever came of it [operators 11]', async () => {
    const { gate, change } = await start({ workers });
    const first = (await json(`${gate.adminUrl}/status`)).config;
    expect(first).toEqual({ hash: expect.any(String), loadedAt: expect.any(String) });
    change({ workers, nonsense: 1 });
    await until(async () => (await json(`${gate.adminUrl}/status`)).config.lastReload?.outcome === 'failure');
    const ready = await fetch(`${gate.adminUrl}/readyz`);
    expect(ready.status).toBe(200);
    expect((await ready.json()) as object).toMatchObject({
      config: { hash: first.hash, lastReload: { problems: [expect.stringContaining('server.nonsense')] } },
    });
    expect(await gate.metrics()).toContain('portcullis_config_last_reload_successful 0');
    change({ workers }, { log: { level: 'debug', format: 'text' } });
    await until(async () => (await json(`${gate.adminUrl}/status`)).config.lastReload?.outcome === 'success');
    expect((await json(`${gate.adminUrl}/status`)).config.hash).not.toBe(first.hash);
    const metrics = await gate.metrics();
    expect(metrics).toContain('portcullis_config_last_reload_successful 1');
    const seconds = Number(
      /^portcullis_config_last_reload_success_timestamp_seconds (\S+)/m.exec(metrics)?.[1],
    );
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
    // The log's format is taken over, too.
    await until(() => /^\S+Z INFO {2}configuration reloaded/m.test(gate.log()));
  });

  test('a certificate that is rotated as cert-manager does it is shown to new connections [operators 7]', async () => {
    const folder = join(dirname(scratchFile('x')), `tls-${workers}`);
    mkdirSync(folder);
    const rotate = (name: string): void => {
      const { certificate, privateKey } = createCertificate(name);
      mkdirSync(join(folder, `..${name}`));
      writeFileSync(join(folder, `..${name}`, 'tls.crt'), certificate);
      writeFileSync(join(folder, `..${name}`, 'tls.key'), privateKey);
      symlinkSync(`..${name}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    rotate('first');
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(folder, file));
    const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
    const { gate } = await start({ workers, tls });
    expect(await shownName(gate.grpcPort)).toBe('first');
    rotate('second');
    await until(async () => (await shownName(gate.grpcPort)) === 'second');
  });

  test('reports NOT_SERVING for drainDelay, takes work meanwhile, and logs in order [operators, low]', async () => {
    const { gate } = await start({ workers, drainDelay: '1500ms' });
    expect(await health(gate.grpcPort)).toBe(1);
    const stopped = gate.stop();
    await until(async () => (await health(gate.grpcPort)) === 2);
    expect((await fetch(`${gate.adminUrl}/readyz`)).status).toBe(503);
    const { log, exited } = gate;
    const text = log;
    await exited;
    const lines = text();
    await stopped;
    expect(lines.indexOf('"draining"')).toBeGreaterThan(0);
    expect(lines.indexOf('"stopped"')).toBeGreaterThan(lines.indexOf('"draining"'));
    expect((await exited).code).toBe(0);
  });
});
