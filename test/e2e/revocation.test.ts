/** Revocation in running processes: workers, restarts, replicas. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import Provider from 'oidc-provider';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { freePorts } from '../support/free-port.mjs';
import { PLAIN_CONFIG, liveToken } from '../support/gate-stack.js';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';
import { AUDIENCE, ISSUER, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

const clients: Client[] = [];

afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
});

function connect(gate: RunningPortcullis): Client {
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
  });
  clients.push(client);
  return client;
}

/** The HTTP status of an answer; 0 where the call failed. */
function ask(client: Client, token: string): Promise<number> {
  return new Promise((resolve) => {
    (client as any).Check(
      checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
      { deadline: Date.now() + 5000 },
      (error: unknown, answer: CheckAnswer) =>
        resolve(error === null ? (answer.denied_response?.status?.code ?? 200) : 0),
    );
  });
}

async function admin(gate: RunningPortcullis, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(gate.adminUrl + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  return { status: response.status, ...(text === '' ? {} : JSON.parse(text)) };
}

const children = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describe('revocation.store: memory', () => {
  test('counts in every worker when it is acknowledged, and in one that takes the place of another', async () => {
    const gate = await startPortcullis({
      awaitKeys: true,
      config: { ...PLAIN_CONFIG, revocation: {}, server: { ...PLAIN_CONFIG.server, workers: 2 } },
    });
    const callers = Array.from({ length: 4 }, () => connect(gate));
    const [token, other] = [liveToken({ claims: { jti: 'a' } }), liveToken({ claims: { jti: 'b' } })];
    for (const caller of callers)
      expect([await ask(caller, token), await ask(caller, other)]).toEqual([200, 200]);

    const revoked = await admin(gate, 'POST', '/revocations', { issuer: ISSUER, jti: 'a' });
    expect(revoked.status).toBe(201);
    for (const caller of callers)
      expect([await ask(caller, token), await ask(caller, other)]).toEqual([401, 200]);

    for (const [index, pid] of children(gate.pid).entries()) {
      process.kill(pid, 'SIGKILL');
      await until(async () => {
        const { workers } = await admin(gate, 'GET', '/status');
        return workers.deaths === index + 1 && workers.running === 2 && children(gate.pid).length === 2;
      });
      await until(async () => (await admin(gate, 'GET', '/readyz')).ready === true);
    }
    const late = Array.from({ length: 4 }, () => connect(gate));
    for (const caller of late)
      expect([await ask(caller, token), await ask(caller, other)]).toEqual([401, 200]);

    expect((await admin(gate, 'DELETE', `/revocations/${revoked.id}`)).status).toBe(204);
    expect(await ask(late[0]!, token)).toBe(200);
    const metrics = await gate.metrics();
    expect(metrics).toContain('portcullis_revocations 0');
    expect(metrics).toContain('portcullis_revocations_total{source="admin"} 1');
    expect(metrics).toContain('portcullis_revocation_store_available 1');
  });
});

describe('revocation.store: sqlite', () => {
  test('an acknowledged revocation survives kill -9', async () => {
    const config = { ...PLAIN_CONFIG, revocation: { store: 'sqlite', path: scratchFile('revocations.db') } };
    const first = await startPortcullis({ config, awaitKeys: true });
    const tokens = ['a', 'b', 'c'].map((jti) => liveToken({ claims: { jti } }));
    for (const jti of ['a', 'b']) await admin(first, 'POST', '/revocations', { issuer: ISSUER, jti });
    await first.stop('SIGKILL');
    const second = await startPortcullis({ config, awaitKeys: true });
    const client = connect(second);
    expect(await Promise.all(tokens.map((token) => ask(client, token)))).toEqual([401, 401, 200]);
    expect((await admin(second, 'GET', '/revocations')).records).toMatchObject([{ jti: 'a' }, { jti: 'b' }]);
  });
});

const hasRedis = findRedis() !== undefined;
if (!hasRedis) process.stderr.write(`SKIPPED: part of test/e2e/revocation.test.ts: ${REDIS_ADVICE}\n`);

(hasRedis ? describe : describe.skip)('revocation.store: redis', () => {
  test('what one replica revokes, the other refuses; what is known counts while Redis is away', async () => {
    const redis = await startRedis();
    const config = {
      ...PLAIN_CONFIG,
      redis: { url: redis.url },
      revocation: { store: 'redis', maxStale: '2s' },
    };
    const [a, b] = await Promise.all([
      startPortcullis({ config, awaitKeys: true }),
      startPortcullis({ config, awaitKeys: true }),
    ]);
    const client = connect(b);
    const [token, other] = [liveToken({ claims: { jti: 'a' } }), liveToken({ claims: { jti: 'b' } })];
    expect([await ask(client, token), await ask(client, other)]).toEqual([200, 200]);
    expect((await admin(a, 'POST', '/revocations', { issuer: ISSUER, jti: 'a' })).status).toBe(201);
    const revokedAtMs = Date.now();
    await until(async () => (await ask(client, token)) === 401);
    expect(Date.now() - revokedAtMs).toBeLessThan(1000);
    expect(await ask(client, other)).toBe(200);

    await redis.stop('SIGKILL');
    await until(async () => (await ask(client, other)) === 503);
    expect(await ask(client, token)).toBe(401);
    expect((await admin(a, 'POST', '/revocations', { issuer: ISSUER, jti: 'c' })).status).toBe(503);
    expect((await admin(b, 'GET', '/readyz')).lacking).toContain('revocation store');

    await startRedis({ port: redis.port });
    await until(async () => (await ask(client, other)) === 200);
    expect(await ask(client, token)).toBe(401);
    const late = connect(await startPortcullis({ config, awaitKeys: true }));
    await until(async () => (await ask(late, token)) === 401);
  });
});

describe('back-channel logout', () => {
  test('sent by an authorization server, it ends the session in every worker at once', async () => {
    const key = testKey('ES256');
    const ports = await freePorts('issuer', 'public');
    const issuer = `http://127.0.0.1:${ports.issuer}`;
    const provider = new Provider(issuer, {
      jwks: {
        keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid, alg: 'ES256', use: 'sig' }],
      },
      clients: [
        {
          client_id: 'gate',
          client_secret: 's'.repeat(32),
          redirect_uris: ['https://gate.example.com/cb'],
          id_token_signed_response_alg: 'ES256',
          backchannel_logout_session_required: true,
          backchannel_logout_uri: `http://127.0.0.1:${ports.public}/logout/backchannel`,
        },
      ],
      features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
    });
    const server = provider.listen(ports.issuer, '127.0.0.1');
    try {
      const gate = await startPortcullis({
        awaitKeys: true,
        config: {
          ...PLAIN_CONFIG,
          server: { ...PLAIN_CONFIG.server, workers: 2, public: `127.0.0.1:${ports.public}` },
          issuers: [{ issuer, audiences: [AUDIENCE], logout: { clientId: 'gate' } }],
        },
      });
      const claims = { iss: issuer, sub: 'alice' };
      const ended = liveToken({ key, claims: { ...claims, sid: 'session-1' } });
      const other = liveToken({ key, claims: { ...claims, sid: 'session-2' } });
      const callers = Array.from({ length: 4 }, () => connect(gate));
      for (const caller of callers)
        expect([await ask(caller, ended), await ask(caller, other)]).toEqual([200, 200]);

      const client: any = await provider.Client.find('gate');
      await client.backchannelLogout('alice', 'session-1');
      for (const caller of callers)
        expect([await ask(caller, ended), await ask(caller, other)]).toEqual([401, 200]);
      expect(await gate.metrics()).toContain('portcullis_revocations_total{source="logout"} 1');
    } finally {
      server.close();
    }
  });
});
