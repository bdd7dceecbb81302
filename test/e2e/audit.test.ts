/** The audit log of real processes: one file for all workers, rotated by a signal; a disk that is full. */
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { liveToken, PLAIN_CONFIG } from '../support/gate-stack.js';
import { ISSUER } from '../support/tokens.js';
import { until } from '../support/until.js';

const clients: Client[] = [];

afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
});

function connect(gate: RunningPortcullis): Client {
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  return client;
}

function ask(client: Client, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    (client as any).Check(
      checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
      { deadline: Date.now() + 5000 },
      (error: Error | null, answer: CheckAnswer) =>
        error === null ? resolve(answer.denied_response?.status?.code ?? 200) : reject(error),
    );
  });
}

const read = (file: string): Record<string, any>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const ROUNDS = 50;
const CLIENTS = 4;

test('two workers write whole lines into one file, and SIGUSR2 starts a new one', async () => {
  const file = scratchFile('audit.jsonl');
  const gate = await startPortcullis({
    awaitKeys: true,
    config: {
      ...PLAIN_CONFIG,
      server: { ...PLAIN_CONFIG.server, workers: 2 },
      revocation: { store: 'memory' },
      audit: { file },
    },
  });
  const token = liveToken({ claims: { sub: 'someone' } });
  const all = Array.from({ length: CLIENTS }, () => connect(gate));
  for (let round = 0; round < ROUNDS; round++) await Promise.all(all.map((client) => ask(client, token)));
  await until(() => read(file).length === ROUNDS * CLIENTS);
  expect(new Set(read(file).map((line) => line.decisionId)).size).toBe(ROUNDS * CLIENTS);
  expect(read(file)[0]).toMatchObject({
    outcome: 'allow',
    subject: 'someone',
    keyId: 'ES256-1',
    policy: 'default',
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);

  renameSync(file, `${file}.1`);
  process.kill(gate.pid, 'SIGUSR2');
  // Both workers and the primary open it again; only then may the old file be taken away.
  await until(async () => {
    await Promise.all(all.map((client) => ask(client, token)));
    return existsSync(file) && read(file).length > CLIENTS;
  });
  await fetch(`${gate.adminUrl}/jwks/invalidate`, { method: 'POST' });
  await until(() => read(file).some(({ action }) => action === 'fetch_keys'));
  await fetch(`${gate.adminUrl}/revocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ issuer: ISSUER, sub: 'someone' }),
  });
  await until(() => read(file).some(({ action }) => action === 'revoke'));
  expect(read(file).find(({ action }) => action === 'revoke')).toMatchObject({
    outcome: 'ok',
    kind: 'sub',
    source: 'admin',
    subject: 'someone',
    issuer: ISSUER,
  });
  expect(await gate.metrics()).toContain('portcullis_audit_lines_lost_total 0');
});

test('a disk that is full is a metric, and Checks are answered as before', async () => {
  const gate = await startPortcullis({
    awaitKeys: true,
    config: { ...PLAIN_CONFIG, audit: { file: '/dev/full' }, log: { decisions: 'none' } },
  });
  const client = connect(gate);
  const token = liveToken();
  for (let round = 0; round < 20; round++) expect(await ask(client, token)).toBe(200);
  await until(() => readFileSync(gate.logFile, 'utf8').includes('the audit log cannot be written'));
  // It ends in time all the same.
  process.kill(gate.pid, 'SIGTERM');
  expect(await gate.exited).toMatchObject({ code: 0 });
});

test('on standard output audit lines stand beside log lines, each whole', async () => {
  const gate = await startPortcullis({
    awaitKeys: true,
    config: { ...PLAIN_CONFIG, audit: { stdout: true } },
  });
  const client = connect(gate);
  for (let round = 0; round < 20; round++) await ask(client, liveToken());
  await until(() => readFileSync(gate.logFile, 'utf8').split('"type":"decision"').length > 20);
});
