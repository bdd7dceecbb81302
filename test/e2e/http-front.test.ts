/** `portcullis serve` with the HTTP front: workers, metrics, status, reload, drain. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { bearer, liveToken, PLAIN_CONFIG } from '../support/gate-stack.js';
import { freePorts } from '../support/free-port.mjs';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { until } from '../support/until.js';
import { createHttp1Client, type WireClient } from '../support/wire-client.mjs';

let portcullis: RunningPortcullis;
let client: WireClient;
let file: string;

const QUESTION = [
  ['x-original-method', 'GET'],
  ['x-original-host', 'api.example.com'],
  ['x-original-uri', '/orders'],
] as const;
const ask = () => client({ headers: [...QUESTION, bearer(liveToken({ claims: { sub: 'alice' } }))] });

beforeAll(async () => {
  const ports = await freePorts('grpc', 'admin', 'http');
  file = scratchFile('portcullis.yaml');
  const server = {
    ...PLAIN_CONFIG.server,
    ...{ grpc: `127.0.0.1:${ports.grpc}`, admin: `127.0.0.1:${ports.admin}`, workers: 2, drainDelay: '1s' },
    http: { address: `127.0.0.1:${ports.http}`, style: 'plain', trustedProxies: ['127.0.0.1'] },
  };
  writeFileSync(file, stringify({ ...PLAIN_CONFIG, server }));
  portcullis = await startPortcullis({ config: file, ports, awaitKeys: true });
  client = createHttp1Client(ports.http);
}, 60_000);
afterAll(stopAll);

describe('portcullis serve with server.http', () => {
  test('answers from each worker, and counts', async () => {
    for (let i = 0; i < 8; i++) expect((await ask()).status).toBe(200);
    expect((await client({ headers: QUESTION })).status).toBe(401);
    const metrics = await portcullis.metrics();
    expect(metrics).toMatch(
      /portcullis_checks_total\{decision="allow",reason="allowed",policy="default"\} 8/,
    );
    expect(metrics).toMatch(/portcullis_checks_total\{decision="deny",reason="missing_credential"[^}]*\} 1/);
    const status = (await (await fetch(`${portcullis.adminUrl}/status`)).json()) as { each: object[] };
    expect(status.each).toHaveLength(2);
    expect(status.each[0]).toMatchObject({ fronts: { http: { style: 'plain' } } });
  });

  test('answers by a new configuration after a reload', async () => {
    const config = parse(readFileSync(file, 'utf8'));
    writeFileSync(file, stringify({ ...config, identity: { headers: { 'x-account': 'sub' } } }));
    await until(async () => (await ask()).headers['x-account']?.[0] === 'alice');
    expect((await ask()).headers['x-user-id']).toBeUndefined();
  });

  test('ends connections once it drains, and goes on answering meanwhile', async () => {
    const ended = portcullis.stop('SIGTERM');
    await until(async () => (await ask()).headers.connection?.[0] === 'close');
    await ended;
    expect(await portcullis.exited).toEqual({ code: 0, signal: null });
    await expect(ask()).rejects.toThrow();
  });
});
