/** Two replicas that share a store of tokens and a Redis: what is revoked at one is refused by the other. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import * as oauth from 'oauth4webapi';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { freePorts } from '../support/free-port.mjs';
import { PLAIN_CONFIG } from '../support/gate-stack.js';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { stopAll } from '../support/processes.mjs';
import {
  findPostgres,
  POSTGRES_ADVICE,
  startPostgres,
  type PostgresServer,
} from '../support/provision-postgres.mjs';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';
import { until } from '../support/until.js';
import { patOf, PHC } from '../token-service/service-fixture.js';

// eslint-disable-next-line @typescript-eslint/no-deprecated -- loopback
const insecure = { [oauth.allowInsecureRequests]: true } as const;
const GATE = 'https://gate.example.com';
const clients: Client[] = [];
let postgres: PostgresServer | undefined;

afterAll(async () => {
  for (const client of clients) client.close();
  await postgres?.remove();
  await stopAll();
});

type Tokens = Record<string, unknown>;

async function startReplica(tokens: Tokens, config: object) {
  const ports = await freePorts('public');
  const url = `http://127.0.0.1:${ports.public}`;
  const gate = await startPortcullis({
    config: {
      server: { ...PLAIN_CONFIG.server, public: `127.0.0.1:${ports.public}` },
      tokens: {
        issuer: GATE,
        audiences: ['https://api.example.com'],
        scrypt: { cost: 16384 },
        bootstrapAdmin: PHC,
        direct: true,
        ...tokens,
      },
      ...config,
    },
  });
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure());
  clients.push(client);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error))),
  );
  const check = (token: string): Promise<number> =>
    new Promise((resolve) => {
      (client as any).Check(
        checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
        { deadline: Date.now() + 10_000 },
        (error: unknown, answer: CheckAnswer) =>
          resolve(error === null ? (answer.denied_response?.status?.code ?? 200) : 0),
      );
    });
  const admin = async (method: string, path: string, body?: object): Promise<any> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${patOf('bootstrap')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  };
  const exchange = async (pat: string): Promise<string> => {
    const response = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_secret: pat }),
    });
    return ((await response.json()) as any).access_token;
  };
  return { url, check, admin, exchange };
}

const hasServers = findRedis() !== undefined && findPostgres() !== undefined;
if (!hasServers)
  process.stderr.write(`SKIPPED: test/e2e/token-replicas.test.ts: ${REDIS_ADVICE}; ${POSTGRES_ADVICE}\n`);

(hasServers ? describe : describe.skip)('two replicas on PostgreSQL and Redis', () => {
  const SEALING = { secrets: ['0123456789abcdefghijklmnopqrstuv'] };
  let replicas: Awaited<ReturnType<typeof startReplica>>[];
  beforeAll(async () => {
    const [redis, server, keys] = await Promise.all([
      startRedis(),
      startPostgres(),
      generateSigningKeys('EdDSA'),
    ]);
    postgres = server;
    const common = {
      keys: JSON.stringify(keys),
      store: { type: 'postgres', url: server.url },
      sealing: SEALING,
    };
    const config = { redis: { url: redis.url }, revocation: { store: 'redis' }, replay: { store: 'redis' } };
    replicas = [
      await startReplica(common, config),
      await startReplica({ ...common, format: 'sealed' }, config),
    ];
  }, 90_000);

  test('a personal access token, its JWT and its sealed token are refused by the other within a second', async () => {
    const [a, b] = replicas as [(typeof replicas)[0], (typeof replicas)[0]];
    const { token, record } = await a.admin('POST', '/admin/tokens', { owner: 'ops' });
    const tokens = [token, await a.exchange(token), await b.exchange(token)];
    expect(tokens[2].split('.')).toHaveLength(1);
    for (const one of [a, b])
      expect(await Promise.all(tokens.map((text) => one.check(text)))).toEqual([200, 200, 200]);
    await a.admin('PUT', `/admin/tokens/${record.tokenId}/revoke`);
    const revokedAtMs = Date.now();
    expect(await Promise.all(tokens.map((text) => a.check(text)))).toEqual([401, 401, 401]);
    await until(async () =>
      (await Promise.all(tokens.map((text) => b.check(text)))).every((one) => one === 401),
    );
    expect(Date.now() - revokedAtMs).toBeLessThan(2000);

    await b.admin('PUT', `/admin/tokens/${record.tokenId}/restore`);
    await until(async () => (await a.check(token)) === 200);
    expect(await Promise.all(tokens.slice(1).map((text) => a.check(text)))).toEqual([401, 401]);
  }, 60_000);

  test('RFC 7009 at one replica, by the client of the token', async () => {
    const [a, b] = replicas as [(typeof replicas)[0], (typeof replicas)[0]];
    const { token, record } = await a.admin('POST', '/admin/tokens', { owner: 'ops' });
    const access = await b.exchange(token);
    expect(await a.check(access)).toBe(200);
    const response = await oauth.revocationRequest(
      { issuer: GATE, revocation_endpoint: `${b.url}/oauth/revoke` },
      { client_id: record.tokenId },
      oauth.ClientSecretBasic(token),
      access,
      insecure,
    );
    await oauth.processRevocationResponse(response);
    await until(async () => (await a.check(access)) === 401);
    expect(await a.check(token)).toBe(200);
  }, 60_000);
});

describe('dpop.nonce: required', () => {
  test('the token endpoint asks for a nonce, and takes the proof that has it', async () => {
    const { admin, url } = await startReplica(
      {
        keys: JSON.stringify(await generateSigningKeys('EdDSA')),
        store: { type: 'sqlite', path: join(mkdtempSync(join(tmpdir(), 'nonce-')), 'tokens.db') },
      },
      {
        dpop: {
          origins: ['https://api.example.com'],
          nonce: { mode: 'required', secrets: ['0123456789abcdefghijklmnopqrstuvwxyz'] },
        },
      },
    );
    const { token, record } = await admin('POST', '/admin/tokens', { owner: 'ops' });
    const as = { issuer: GATE, token_endpoint: `${GATE}/oauth/token` };
    const client = { client_id: record.tokenId };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const statuses: number[] = [];
    const ask = () =>
      oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost(token), new URLSearchParams(), {
        ...insecure,
        DPoP,
        [oauth.customFetch]: async (target, init) => {
          const response = await fetch(target.replace(GATE, url), init);
          statuses.push(response.status);
          return response;
        },
      });
    const refused = await ask()
      .then((response) => oauth.processClientCredentialsResponse(as, client, response))
      .catch((error: unknown) => error);
    expect(oauth.isDPoPNonceError(refused)).toBe(true);
    const result = await oauth.processClientCredentialsResponse(as, client, await ask());
    expect([statuses, result.token_type]).toEqual([[400, 200], 'dpop']);
  }, 60_000);
});
