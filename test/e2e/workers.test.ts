/** Several processes behind one port: real ones, and real kills. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import {
  AuthorizationClient,
  checkRequest,
  type CheckAnswer,
  type HeaderInput,
} from '../support/envoy-messages.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { stopAll } from '../support/processes.mjs';
import { jktOf, mintProof } from '../support/proofs.js';
import { accessClaims, AUDIENCE, mintToken, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

const key = testKey('ES256');
const clientKey = testKey('ES256', 'client');
const issuers: FakeIssuer[] = [];
const clients: Client[] = [];

afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
  for (const issuer of issuers) await issuer.stop();
});

async function startWorkers(): Promise<{ gate: RunningPortcullis; issuer: FakeIssuer }> {
  const issuer = await FakeIssuer.start();
  issuers.push(issuer);
  issuer.keys = [key.jwk];
  const gate = await startPortcullis({
    awaitKeys: true,
    config: {
      server: { workers: 2, limits: { eventLoopDelay: '5s' } },
      issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], jwksUri: issuer.jwksUri }],
      dpop: { origins: ['https://api.example.com'] },
    },
  });
  return { gate, issuer };
}

function connect(gate: RunningPortcullis): Client {
  // Each client a connection of its own: the primary deals connections out to workers in turn.
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
  });
  clients.push(client);
  return client;
}

type Outcome = { http: number } | { failed: number };

function ask(client: Client, headers: readonly HeaderInput[]): Promise<Outcome> {
  return new Promise((resolve) => {
    (client as any).Check(
      checkRequest({ headers }),
      { deadline: Date.now() + 5000 },
      (error: { code: number } | null, answer: CheckAnswer) =>
        resolve(
          error === null ? { http: answer.denied_response?.status?.code ?? 200 } : { failed: error.code },
        ),
    );
  });
}

const liveTimes = () => {
  const nowS = Math.floor(Date.now() / 1000);
  return { iat: nowS, exp: nowS + 300 };
};
const tokenOf = (issuer: FakeIssuer, claims: object = {}) =>
  mintToken({ key, claims: { ...accessClaims(), iss: issuer.issuer, ...liveTimes(), ...claims } });

const statusOf = async (gate: RunningPortcullis): Promise<any> =>
  (await fetch(`${gate.adminUrl}/status`)).json();

/** As Linux tells it. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describe('two workers', () => {
  test('ask the issuer once between them, and count in one place', async () => {
    const { gate, issuer } = await startWorkers();
    const token = tokenOf(issuer);
    const asked = Array.from({ length: 8 }, () => ask(connect(gate), [['authorization', `Bearer ${token}`]]));
    expect(await Promise.all(asked)).toEqual(Array(8).fill({ http: 200 }));
    expect(issuer.hits.jwks).toBe(1);
    expect(await gate.metrics()).toContain(
      'portcullis_checks_total{decision="allow",reason="allowed",policy="default"} 8',
    );
    const { workers, each } = await statusOf(gate);
    expect(workers).toMatchObject({ expected: 2, running: 2, deaths: 0 });
    expect(new Set(each.map(({ pid }: { pid: number }) => pid)).size).toBe(2);
  });

  test('spend a proof once between them', async () => {
    const { gate, issuer } = await startWorkers();
    const token = tokenOf(issuer, { cnf: { jkt: jktOf(clientKey) } });
    const proof = mintProof({
      key: clientKey,
      token,
      claims: { htu: 'https://api.example.com/resource', iat: liveTimes().iat },
    });
    const headers = [
      ['authorization', `DPoP ${token}`],
      ['dpop', proof],
    ] as const;
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => ask(connect(gate), headers)));
    expect(outcomes.filter((outcome) => 'http' in outcome && outcome.http === 200)).toHaveLength(1);
    expect(outcomes.filter((outcome) => 'http' in outcome && outcome.http === 401)).toHaveLength(15);
  });

  test('take a log level, and an invalidation that asks the issuer again', async () => {
    const { gate, issuer } = await startWorkers();
    const before = issuer.hits.jwks;
    const post = (path: string, body = '{}') =>
      fetch(gate.adminUrl + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect((await post('/log-level', '{"level":"debug"}')).status).toBe(200);
    expect((await post('/jwks/invalidate')).status).toBe(200);
    expect(issuer.hits.jwks).toBeGreaterThan(before);
    expect((await post('/jwks/invalidate?issuer=https%3A%2F%2Fnobody.example')).status).toBe(404);
  });

  test('a killed one is replaced, and in between nothing is allowed without a token', async () => {
    const { gate, issuer } = await startWorkers();
    const good: HeaderInput[] = [['authorization', `Bearer ${tokenOf(issuer)}`]];
    const { each } = await statusOf(gate);
    const load = Array.from({ length: 4 }, () => connect(gate));
    let running = true;
    const outcomes: Outcome[] = [];
    const loops = load.map(async (client) => {
      while (running) outcomes.push(await ask(client, []));
    });
    process.kill(each[0].pid, 'SIGKILL');
    await until(async () => (await statusOf(gate)).workers.deaths === 1);
    await until(async () => (await fetch(`${gate.adminUrl}/readyz`)).status === 200);
    running = false;
    await Promise.all(loops);
    expect(outcomes.length).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => 'http' in outcome && outcome.http === 200)).toEqual([]);
    expect(await ask(connect(gate), good)).toEqual({ http: 200 });
  });

  test('one that is killed before it has said a word is replaced too', async () => {
    const { gate } = await startWorkers();
    const { each } = await statusOf(gate);
    const first = childrenOf(gate.pid);
    process.kill(each[0].pid, 'SIGKILL');
    let newborn: number | undefined;
    while (newborn === undefined) {
      newborn = childrenOf(gate.pid).find((pid) => !first.includes(pid));
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.kill(newborn, 'SIGKILL');
    await until(async () => (await statusOf(gate)).workers.deaths === 2);
    await until(async () => (await fetch(`${gate.adminUrl}/readyz`)).status === 200);
    expect((await statusOf(gate)).workers.running).toBe(2);
  });
});
