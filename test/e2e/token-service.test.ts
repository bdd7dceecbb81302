/** The token service in running processes: what it issues, Checks accept; what is revoked, they refuse. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import { exportJWK, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { freePort } from '../support/free-port.mjs';
import { PLAIN_CONFIG } from '../support/gate-stack.js';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { stopAll } from '../support/processes.mjs';
import { until } from '../support/until.js';
import { patOf, PHC } from '../token-service/service-fixture.js';

const clients: Client[] = [];
afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
});

// eslint-disable-next-line @typescript-eslint/no-deprecated -- loopback
const insecure = { [oauth.allowInsecureRequests]: true } as const;
const robot = generateKeyPairSync('ec', { namedCurve: 'P-256' });

async function start(tokens: object = {}, server: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
  const publicPort = await freePort();
  const url = `http://127.0.0.1:${publicPort}`;
  writeFileSync(join(folder, 'robot.pem'), robot.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'robot.yaml'), 'scopes: [orders:read]\ntenant: acme\n');
  const gate = await startPortcullis({
    awaitKeys: true,
    config: {
      ...PLAIN_CONFIG,
      server: { ...PLAIN_CONFIG.server, public: `127.0.0.1:${publicPort}`, ...server },
      dpop: { origins: ['https://api.example.com'] },
      tokens: {
        issuer: url,
        audiences: ['https://api.example.com'],
        keys: JSON.stringify(await generateSigningKeys('EdDSA')),
        store: { type: 'sqlite', path: join(folder, 'tokens.db') },
        scrypt: { cost: 16384 },
        bootstrapAdmin: PHC,
        direct: true,
        grants: ['client_credentials', 'jwt_bearer', 'token_exchange'],
        clients: { dir: folder },
        exchange: { issuers: [url], scopes: ['orders:read'] },
        sealing: { secrets: ['0123456789abcdefghijklmnopqrstuv'] },
        ...tokens,
      },
    },
  });
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  }) as any;
  clients.push(client);
  const check = (token: string): Promise<CheckAnswer> =>
    new Promise((resolve, reject) =>
      client.Check(
        checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
        { deadline: Date.now() + 5000 },
        (error: Error | null, answer: CheckAnswer) => (error === null ? resolve(answer) : reject(error)),
      ),
    );
  const status = async (token: string) => (await check(token)).denied_response?.status?.code ?? 200;
  const reason = async (token: string) => {
    const answer = await check(token);
    return answer.denied_response === undefined ? 'allowed' : String((answer.denied_response as any).body);
  };
  const admin = async (method: string, path: string, body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${patOf('bootstrap')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const exchange = async (pat: string) => {
    const response = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_secret: pat }),
    });
    const body = (await response.json()) as any;
    return body.access_token as string;
  };
  const as = oauth.processDiscoveryResponse(
    new URL(url),
    await oauth.discoveryRequest(new URL(url), { algorithm: 'oauth2', ...insecure }),
  );
  return { gate, url, check, status, reason, admin, exchange, as: await as };
}

type Started = Awaited<ReturnType<typeof start>>;

describe.each([
  ['one process, JWTs', {}, {}],
  ['two workers, sealed tokens', { format: 'sealed' }, { workers: 2 }],
])('token service: %s', (_name, tokens, server) => {
  let stack: Started;
  beforeAll(async () => {
    stack = await start(tokens, server);
  }, 60_000);

  test('issue, exchange, call, revoke, refused, restore', async () => {
    const { admin, exchange, status, reason } = stack;
    const issued = await admin('POST', '/admin/tokens', { owner: 'ops', scopes: ['orders:read'] });
    expect(issued.status).toBe(201);
    const { token: pat, record } = issued.body;
    const path = `/admin/tokens/${record.tokenId}`;
    const token = await exchange(pat);
    for (let i = 0; i < 4; i++) {
      expect(await reason(token)).toBe('allowed');
      expect(await reason(pat)).toBe('allowed');
    }
    expect((await admin('PUT', `${path}/revoke`)).status).toBe(204);
    // Acknowledged: it counts in every worker.
    for (let i = 0; i < 4; i++) expect(await status(token)).toBe(401);
    await until(async () => (await status(pat)) === 401);
    expect(await exchange(pat)).toBeUndefined();
    expect((await admin('PUT', `${path}/restore`)).status).toBe(204);
    const second = await exchange(pat);
    for (let i = 0; i < 4; i++) {
      expect(await reason(second)).toBe('allowed');
      expect(await status(token)).toBe(401);
    }
    await until(async () => (await status(pat)) === 200);
  });

  test('what was tampered with is refused', async () => {
    const { admin, exchange, status } = stack;
    const { body } = await admin('POST', '/admin/tokens', { owner: 'ops' });
    const token = await exchange(body.token);
    const last = token.at(-2) === 'A' ? 'B' : 'A';
    expect(await status(`${token.slice(0, -2)}${last}${token.slice(-1)}`)).toBe(401);
    expect(await status(patOf(body.record.tokenId, 'W'.repeat(43)))).toBe(401);
  });

  test('RFC 7009: a client revokes its own token', async () => {
    const { admin, exchange, status, url } = stack;
    const { body } = await admin('POST', '/admin/tokens', { owner: 'ops' });
    const [one, two] = [await exchange(body.token), await exchange(body.token)];
    const response = await fetch(`${url}/oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ client_secret: body.token, token: one }),
    });
    expect(response.status).toBe(200);
    expect(await status(one)).toBe(401);
    expect(await status(two)).toBe(200);
  });

  test('oauth4webapi: client_credentials with Basic', async () => {
    const { admin, as, reason } = stack;
    const { body } = await admin('POST', '/admin/tokens', { owner: 'ops', scopes: ['orders:read'] });
    const client = { client_id: body.record.tokenId };
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.ClientSecretBasic(body.token),
      new URLSearchParams({ scope: 'orders:read' }),
      insecure,
    );
    const result = await oauth.processClientCredentialsResponse(as, client, response);
    expect(result).toMatchObject({ token_type: 'bearer', scope: 'orders:read' });
    expect(await reason(result.access_token)).toBe('allowed');
  });

  test('oauth4webapi: jwt-bearer by the key of a client', async () => {
    const { as, url, reason } = stack;
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('robot')
      .setSubject('robot')
      .setAudience(url)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(robot.privateKey);
    const request = () =>
      oauth.genericTokenEndpointRequest(
        as,
        { client_id: 'robot' },
        oauth.None(),
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        new URLSearchParams({ assertion }),
        insecure,
      );
    const result = await oauth.processGenericTokenEndpointResponse(
      as,
      { client_id: 'robot' },
      await request(),
    );
    expect(result).toMatchObject({ scope: 'orders:read' });
    expect(await reason(result.access_token)).toBe('allowed');
    const again = await request();
    expect({ status: again.status, body: await again.json() }).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('oauth4webapi: a DPoP-bound token, which is worth nothing without its key', async () => {
    const { admin, as, status } = stack;
    const { body } = await admin('POST', '/admin/tokens', { owner: 'ops' });
    const client = { client_id: body.record.tokenId };
    const keys = await oauth.generateKeyPair('ES256', { extractable: true });
    const DPoP = oauth.DPoP({}, keys);
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.ClientSecretPost(body.token),
      new URLSearchParams(),
      { ...insecure, DPoP },
    );
    const result = await oauth.processClientCredentialsResponse(as, client, response);
    expect(result.token_type).toBe('dpop');
    expect(await status(result.access_token)).toBe(401);
    expect(await exportJWK(keys.publicKey)).toBeDefined();
  });

  test('token exchange: scope shrinks, the actor is named', async () => {
    const { admin, exchange, as, reason } = stack;
    const issue = async (scopes: string[]) =>
      (await admin('POST', '/admin/tokens', { owner: 'ops', scopes })).body;
    const user = await exchange((await issue(['orders:read', 'orders:write'])).token);
    const agent = await issue(['orders:read', 'orders:write']);
    const actor = await exchange(agent.token);
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    const client = { client_id: agent.record.tokenId };
    const response = await oauth.genericTokenEndpointRequest(
      as,
      client,
      oauth.ClientSecretPost(agent.token),
      'urn:ietf:params:oauth:grant-type:token-exchange',
      new URLSearchParams({
        subject_token: user,
        subject_token_type: type,
        actor_token: actor,
        actor_token_type: type,
      }),
      insecure,
    );
    const result = await oauth.processGenericTokenEndpointResponse(as, client, response);
    expect(result).toMatchObject({ scope: 'orders:read', issued_token_type: type, expires_in: 300 });
    expect(await reason(result.access_token)).toBe('allowed');
  });

  test('the public port describes itself', async () => {
    const response = await fetch(`${stack.url}/openapi.json`);
    const document = (await response.json()) as any;
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/oauth/token', '/auth/token', '/oauth/revoke', '/admin/tokens/{tokenId}']),
    );
    expect((await fetch(`${stack.url}/.well-known/jwks.json`)).status).toBe(200);
  });
});
