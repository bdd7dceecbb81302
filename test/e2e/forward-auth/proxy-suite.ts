/** What every proxy must show with its ready configuration: the gate in this process, the proxy and its upstream for real. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StyleName } from '../../../src/fronts/forward-auth/styles.js';
import { startEchoUpstream } from '../../support/echo-upstream.mjs';
import { echoed } from '../../support/gate-stack.js';
import { frontCaseConfig } from '../../support/guide-cases.js';
import { startHttpGate, type HttpGate } from '../../support/http-front.js';
import { liveToken } from '../../support/live-token.js';
import { athOf, jktOf, mintProof } from '../../support/proofs.js';
import { stopAll, type RunningProcess } from '../../support/processes.mjs';
import { testKey } from '../../support/tokens.js';
import { createHttp1Client, type WireClient, type WireResponse } from '../../support/wire-client.mjs';

/** A proxy under test. */
export interface ProxyUnderTest {
  readonly name: string;
  readonly style: StyleName;
  start(ports: { portcullis: number; upstream: number }): Promise<RunningProcess & { port: number }>;
  /** The status that a client gets while the gate cannot be reached. */
  readonly withoutGate: number;
}

/** A configuration with a public part, a host that is public as a whole, and an application in a browser. */
const CONFIG = frontCaseConfig({
  identity: { headers: { 'x-user-id': 'sub' } },
  dpop: { nonce: { mode: 'required', secrets: ['a secret of 32 characters at least'] } },
  policies: {
    public: { access: 'anonymous' },
    orders: { scopes: { all: ['orders'] } },
    app: { corsPreflight: 'allow', cors: { origins: ['https://app.example.com'] } },
  },
  routes: [
    { hosts: ['open.example.com'], policy: 'public' },
    { paths: ['/public/**'], policy: 'public' },
    { paths: ['/orders/**'], methods: ['POST'], policy: 'orders' },
    { paths: ['/app/**'], policy: 'app' },
    { paths: ['/**'], policy: 'default' },
  ],
});

type Fields = readonly (readonly [string, string])[];

const HOST = 'api.example.com';
const bearer = (claims: Record<string, unknown> = {}) =>
  ['authorization', `Bearer ${liveToken({ claims: { sub: 'alice', ...claims } })}`] as const;

/** Was the request refused for what it is, and did the upstream not see it? */
function expectRefused({ status, body }: WireResponse): void {
  expect([400, 401]).toContain(status);
  expect(body).not.toContain('"headers"');
}

/** Runs the suite; skipped where the proxy is not there. */
export function describeProxy(proxy: ProxyUnderTest, isThere: boolean): void {
  (isThere ? describe : describe.skip)(proxy.name, () => runSuite(proxy));
}

/**
 * Runs the suite where the proxy is there, or was asked for; a test that nobody asked for is not a skipped one.
 *
 * @param how how to ask for it
 */
export function describeNightly(proxy: ProxyUnderTest, isWanted: boolean, how: string): void {
  if (isWanted) describe(proxy.name, () => runSuite(proxy));
  else test(`${proxy.name} was not asked for: ${how}`, () => undefined);
}

function runSuite(proxy: ProxyUnderTest): void {
  let gate: HttpGate;
  let upstream: Awaited<ReturnType<typeof startEchoUpstream>>;
  let port: number;
  let client: WireClient;
  beforeAll(async () => {
    [gate, upstream] = await Promise.all([startHttpGate(CONFIG), startEchoUpstream({ port: 0 })]);
    const front = await gate.open(proxy.style);
    ({ port } = await proxy.start({ portcullis: front.port, upstream: upstream.port }));
    client = createHttp1Client(port);
  }, 60_000);
  afterAll(async () => {
    await stopAll();
    await Promise.all([gate.close(), upstream.close()]);
  });

  const ask = (path: string, headers: Fields = [], more: { method?: string; body?: string } = {}) =>
    client({ path, host: HOST, headers, ...more });

  test('tells the upstream who the client is, and takes the credential out', async () => {
    const response = await ask('/private?a=%20b', [
      bearer(),
      ['x-user-id', 'root'],
      ['x-http-method', 'PUT'],
    ]);
    expect(response.status).toBe(200);
    const { url, headers } = echoed(response);
    expect(url).toBe('/private?a=%20b');
    expect(headers['x-user-id']).toEqual(['alice']);
    for (const name of ['authorization', 'dpop', 'x-http-method', 'x-portcullis-remove', 'x-portcullis-set'])
      expect([name, headers[name]]).toEqual([name, undefined]);
  });

  test('a client cannot have its identity taken out by the Connection header', async () => {
    const response = await ask('/private', [bearer(), ['connection', 'close, x-user-id']]);
    if (response.status === 200) expect(echoed(response).headers['x-user-id']).toEqual(['alice']);
    else expect(response.status).toBe(400);
  });

  test('an identity header of the client does not survive where there is no token', async () => {
    const response = await ask('/public/a', [
      ['X-User-Id', 'root'],
      ['authorization', 'Bearer x'],
    ]);
    expect(response.status).toBe(200);
    const { headers } = echoed(response);
    expect(headers['x-user-id']?.join('') ?? '').toBe('');
    expect(headers.authorization?.join('') ?? '').toBe('');
  });

  test.each(['x_user_id', 'X_User-Id', 'x.user.id', 'x-portcullis-subject'])(
    'the alias %s does not get through',
    async (name) => {
      for (const [path, token] of [
        ['/public/a', []],
        ['/private', [bearer()]],
      ] as const) {
        const response = await ask(path, [...token, [name, 'root']]);
        if (response.status === 200) expect(response.body).not.toContain('root');
        else expect(response.status).toBe(400);
      }
    },
  );

  test.each([
    'x-forwarded-uri',
    'x-original-uri',
    'x-original-url',
    'x_forwarded_uri',
    'X_Original_URI',
    'x-rewrite-url',
  ])('%s of the client decides nothing', async (name) => {
    expectRefused(await ask('/private', [[name, '/public/a']]));
    expectRefused(await ask('/private', [[name, `https://${HOST}/public/a`]]));
  });

  test.each([
    ['x-forwarded-host', 'open.example.com'],
    ['x-original-host', 'open.example.com'],
    ['x-forwarded-method', 'OPTIONS'],
    ['x-original-method', 'OPTIONS'],
    ['connection', 'x-forwarded-uri, x-original-uri, x-forwarded-host, x-original-host, authorization'],
  ])('%s of the client decides nothing', async (name, value) => {
    expectRefused(await ask('/private', [[name, value]]));
    const preflight: Fields = [
      ['origin', 'https://app.example.com'],
      ['access-control-request-method', 'PUT'],
    ];
    expectRefused(await ask('/app/a', [[name, value], ...preflight]));
  });

  test.each([
    '/public/../private',
    '/public/%2e%2e/private',
    '/public/..%2fprivate',
    '/public/..;/private',
    '/public\\..\\private',
    '//private',
    '/public/a#/../../private',
  ])('%s gets nowhere', async (path) => {
    expectRefused(await ask(path));
  });

  test('an absolute request line and another Host are not judged as two requests', async () => {
    const answer = await raw(port, [
      `GET http://${HOST}/private HTTP/1.1`,
      'Host: open.example.com',
      'Connection: close',
    ]);
    // Either the name in the request line counts, or that in Host: for the gate and the upstream alike.
    if (/^HTTP\/1.1 200/.test(answer)) expect(answer).toContain('"host":["open.example.com');
    else expect(answer).not.toContain('"headers"');
  });

  test('a denial has its challenges, its body, and is not stored', async () => {
    const response = await ask('/private');
    expect(response.status).toBe(401);
    const challenges = response.headers['www-authenticate']?.join(', ') ?? '';
    expect(challenges.match(/Bearer realm="portcullis"/g)).toHaveLength(1);
    expect(challenges.match(/DPoP algs="/g)).toHaveLength(1);
    expect(response.headers['cache-control']).toEqual(['no-store']);
    expect(response.headers['content-type']).toEqual(['application/json']);
    expect(JSON.parse(response.body)).toEqual({
      error: 'unauthorized',
      error_description: 'authentication is required',
      decision_id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
  });

  test.each([
    ['a scope that is missing', '/orders', 'POST', [bearer()], 403, 'insufficient_scope'],
    ['a credential that is none', '/private', 'GET', [['authorization', 'Bearer']], 400, 'invalid_request'],
    [
      'a broken signature',
      '/private',
      'GET',
      [['authorization', `${bearer()[1].slice(0, -6)}AAAAAA`]],
      401,
      'invalid_token',
    ],
  ] as const)('%s', async (_name, path, method, headers, status, error) => {
    const response = await ask(path, headers, { method });
    expect([response.status, JSON.parse(response.body)]).toEqual([
      status,
      expect.objectContaining({ error }),
    ]);
    expect(response.headers['www-authenticate']?.join()).toContain(`error="${error}"`);
  });

  test('a method is judged as it is sent, and a body goes on', async () => {
    const headers: Fields = [bearer({ scope: 'orders' }), ['content-type', 'text/plain']];
    const response = await ask('/orders', headers, { method: 'POST', body: 'two of them' });
    expect(response.status).toBe(200);
    const echo = echoed(response);
    expect([echo.method, echo.headers['x-user-id']]).toEqual(['POST', ['alice']]);
    expect(echo.headers['content-length'] ?? echo.headers['transfer-encoding']).toHaveLength(1);
  });

  test('DPoP: a nonce is asked for, and the proof with it is good once', async () => {
    const key = testKey('ES256', 'client');
    const token = liveToken({ claims: { sub: 'alice', cnf: { jkt: jktOf(key) } } });
    const proof = (nonce?: string): readonly [string, string] => {
      const claims = {
        ...{ htm: 'GET', htu: `https://${HOST}/private`, ath: athOf(token), nonce },
        iat: Math.floor(Date.now() / 1000),
      };
      return ['dpop', mintProof({ key, claims })];
    };
    const credential = ['authorization', `DPoP ${token}`] as const;
    const first = await ask('/private?x=1', [credential, proof()]);
    expect(first.status).toBe(401);
    expect(first.headers['www-authenticate']?.join()).toContain('error="use_dpop_nonce"');
    const nonces = first.headers['dpop-nonce'] ?? [];
    expect(nonces).toHaveLength(1);
    const good = proof(nonces[0]);
    const second = await ask('/private?x=1', [credential, good]);
    expect(second.status).toBe(200);
    expect(echoed(second).headers).toMatchObject({ 'x-user-id': ['alice'] });
    expect(echoed(second).headers.dpop).toBeUndefined();
    const third = await ask('/private?x=1', [credential, good]);
    expect([third.status, JSON.parse(third.body)]).toMatchObject([401, { error: 'invalid_dpop_proof' }]);
  });

  test('a preflight goes to the upstream, and a script may read a denial', async () => {
    const origin = ['origin', 'https://app.example.com'] as const;
    const preflight: Fields = [origin, ['access-control-request-method', 'PUT']];
    const passed = await ask('/app/a', preflight, { method: 'OPTIONS' });
    expect([passed.status, echoed(passed).method]).toEqual([200, 'OPTIONS']);
    const denied = await ask('/app/a', [origin], { method: 'PUT' });
    expect(denied.status).toBe(401);
    expect(denied.headers['access-control-allow-origin']).toEqual(['https://app.example.com']);
    expect(denied.headers['access-control-expose-headers']?.join()).toContain('www-authenticate');
  });

  test('a WebSocket opens with a token, and not without', async () => {
    const upgrade: Fields = [
      ['connection', 'Upgrade'],
      ['upgrade', 'websocket'],
      ['sec-websocket-version', '13'],
      ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ];
    expect((await ask('/ws', upgrade)).status).toBe(401);
    expect((await ask('/ws', [...upgrade, bearer()])).status).toBe(101);
  });

  test('HEAD is denied without a body', async () => {
    const { status, body } = await ask('/private', [], { method: 'HEAD' });
    expect([status, body]).toEqual([401, '']);
  });

  test('nothing passes while the gate is away', async () => {
    await gate.close();
    for (const path of ['/private', '/public/a']) {
      const response = await ask(path, [bearer()]);
      expect(response.status).toBe(proxy.withoutGate);
      expect(response.body).not.toContain('"headers"');
    }
  });
}

/** Sends lines as they are, and gives what comes back. */
function raw(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}
