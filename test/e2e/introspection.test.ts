/** Opaque tokens with real processes: workers that share answers, replicas on a real Redis, a real authorization server. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import { createTokenSource } from '../demo/oauth-client.mjs';
import { AuthorizationClient, checkRequest, type CheckAnswer, valuesOf } from '../support/envoy-messages.js';
import { answersStatus, FakeIssuer } from '../support/fake-issuer.js';
import { freePort } from '../support/free-port.mjs';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { answersOk, startProcess, stopAll } from '../support/processes.mjs';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';
import { inRepository } from '../support/repository.mjs';
import { AUDIENCE, mintToken, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

const hasRedis = findRedis() !== undefined;
if (!hasRedis) process.stderr.write(`SKIPPED: test/e2e/introspection.test.ts, replicas: ${REDIS_ADVICE}\n`);
const describeWithRedis = hasRedis ? describe : describe.skip;

const issuers: FakeIssuer[] = [];
const clients: Client[] = [];
const active = { active: true, aud: AUDIENCE, sub: 'ann-the-secret-name' };
const introspection = { clientId: 'gate', clientSecret: 'gate-secret', timeout: '10s' };
const server = { limits: { eventLoopDelay: '5s' } };
const identity = { headers: { 'x-user-id': 'sub' } };

afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
  for (const issuer of issuers) await issuer.stop();
});

async function startIssuer(): Promise<FakeIssuer> {
  const issuer = await FakeIssuer.start();
  issuers.push(issuer);
  issuer.keys = [testKey('ES256').jwk];
  return issuer;
}

const configOf = (issuer: FakeIssuer, over: object = {}): Record<string, unknown> => ({
  server,
  issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], introspection }],
  identity,
  ...over,
});

function connect(gate: RunningPortcullis): Client {
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  return client;
}

function ask(client: Client, token: string): Promise<{ http: number; user: string | undefined }> {
  return new Promise((resolve) => {
    (client as any).Check(
      checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
      { deadline: Date.now() + 15_000 },
      (error: { code: number } | null, answer: CheckAnswer | undefined) =>
        resolve({
          http: error === null ? (answer?.denied_response?.status?.code ?? 200) : -error.code,
          user: valuesOf(answer?.ok_response?.headers, 'x-user-id')[0],
        }),
    );
  });
}

describe('introspection with workers', () => {
  test('asks once for all of them, and counts it', async () => {
    const issuer = await startIssuer();
    const gate = await startPortcullis({
      config: configOf(issuer, { server: { ...server, workers: 2 } }),
      awaitKeys: true,
    });
    issuer.answers.set('t', active);
    const connected = Array.from({ length: 8 }, () => connect(gate));
    for (let n = 0; n < 3; n++) {
      const answers = await Promise.all(connected.map((client) => ask(client, 't')));
      expect(answers).toEqual(connected.map(() => ({ http: 200, user: 'ann-the-secret-name' })));
    }
    expect(issuer.asked).toHaveLength(1);
    expect(await gate.metrics()).toContain(
      `portcullis_introspections_total{issuer="${issuer.issuer}",outcome="active"} 1`,
    );
    issuer.behaviour.introspect = answersStatus(500);
    expect(await ask(connected[0]!, 'another')).toMatchObject({ http: 503 });
  });
});

describeWithRedis('introspection with replicas', () => {
  test('shares answers through Redis, shows nothing there, and goes on without it', async () => {
    const [issuer, redis] = [await startIssuer(), await startRedis()];
    issuer.answers.set('opaque-token', active);
    const config = configOf(issuer, { redis: { url: redis.url } });
    const replicas = await Promise.all([0, 1].map(() => startPortcullis({ config, awaitKeys: true })));
    const [a, b] = replicas.map(connect) as [Client, Client];
    // The connection to Redis is opened by the first use.
    for (const client of [a, b]) await ask(client, 'warm');
    await until(
      async () => (await valuesIn(redis.port)).length > 0 || (await ask(a, `w${Date.now()}`)).http === 0,
    );
    issuer.asked.length = 0;
    expect(await ask(a, 'opaque-token')).toMatchObject({ http: 200 });
    expect(await ask(b, 'opaque-token')).toMatchObject({ http: 200, user: 'ann-the-secret-name' });
    expect(issuer.asked).toHaveLength(1);
    const seen = (await valuesIn(redis.port)).join('\n');
    const plain = Buffer.from(seen, 'base64url').toString('latin1');
    for (const secret of ['ann-the-secret-name', 'opaque-token', 'gate-secret', '"active"'])
      expect(`${seen}${plain}`).not.toContain(secret);
    await redis.stop();
    issuer.answers.set('another', active);
    expect(await ask(a, 'another')).toMatchObject({ http: 200 });
  });
});

/** Every key and value of a Redis. */
async function valuesIn(port: number): Promise<string[]> {
  const { Redis } = await import('ioredis');
  const redis = new Redis({ port, host: '127.0.0.1' });
  try {
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map(async (key) => (await redis.get(key)) ?? ''));
    return [...keys, ...values];
  } finally {
    redis.disconnect();
  }
}

describe('introspection at a real authorization server', () => {
  test('an opaque token is allowed, and denied within cacheTtl after it is revoked there', async () => {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    await startProcess(process.execPath, [inRepository('test/demo/authorization-server.mjs')], {
      name: 'authorization-server',
      env: { PORT: String(port), ISSUER: issuer },
      ready: answersOk(`${issuer}/.well-known/openid-configuration`),
    });
    const gate = await startPortcullis({
      awaitKeys: true,
      config: {
        server,
        issuers: [
          {
            issuer,
            audiences: [AUDIENCE],
            introspection: { ...introspection, cacheTtl: '1s', negativeTtl: '0s' },
          },
        ],
        policies: { default: { scopes: { all: ['orders:read'] } } },
      },
    });
    const client = connect(gate);
    const token = await (await createTokenSource(issuer))('opaque', { scope: 'orders:read' });
    expect(token).not.toContain('.');
    expect(await ask(client, token)).toMatchObject({ http: 200 });
    expect(await ask(client, `${token}x`)).toMatchObject({ http: 401 });
    const revoked = await fetch(`${issuer}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('opaque:opaque-secret').toString('base64')}` },
      body: new URLSearchParams({ token }),
    });
    expect(revoked.status).toBe(200);
    const revokedAtMs = Date.now();
    await until(async () => (await ask(client, token)).http === 401);
    // Its answer was a second old at most; the rest is the machine's.
    expect(Date.now() - revokedAtMs).toBeLessThan(10_000);
    expect(await ask(client, mintToken())).toMatchObject({ http: 401 });
  });
});
