/** What clients of a real Envoy see, and what its upstream sees. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../support/free-port.mjs';
import {
  bearer,
  echoed,
  liveToken,
  PLAIN_CONFIG,
  startGateStack,
  type GateStack,
} from '../support/gate-stack.js';
import { stopAll } from '../support/processes.mjs';
import { createTestKey } from '../support/tokens.js';
import { until } from '../support/until.js';
import type { WireRequest } from '../support/wire-client.mjs';

let stack: GateStack;
const DEAD_ISSUER = 'http://127.0.0.1:9/dead';

beforeAll(async () => {
  const deadPort = await freePort();
  stack = await startGateStack({
    config: {
      issuers: [
        ...PLAIN_CONFIG.issuers,
        { issuer: DEAD_ISSUER, audiences: ['a'], jwksUri: `http://127.0.0.1:${deadPort}/jwks` },
      ],
      credentials: [{ header: 'authorization' }, { cookie: 'session' }, { query: 'access_token' }],
      maxTokenBytes: 4096,
      policies: {
        public: { access: 'anonymous' },
        maybe: { access: 'optional' },
        preflight: { corsPreflight: 'allow' },
        tenant: { when: 'request.headers["x-org-id"] == "acme"' },
        'orders-read': { scopes: { all: ['orders:read'] } },
        'orders-write': { scopes: { all: ['orders:write'] } },
      },
      routes: [
        { paths: ['/public/**'], policy: 'public' },
        { paths: ['/maybe'], policy: 'maybe' },
        { paths: ['/admin/**'], methods: ['DELETE'], policy: 'orders-write' },
        { paths: ['/admin/**'], policy: 'preflight' },
        { paths: ['/tenant'], policy: 'tenant' },
        { paths: ['/orders/**'], policy: 'orders-write' },
        { paths: ['/me/**', '/socket'], policy: 'default' },
      ],
      identity: { headers: { 'x-user-id': 'sub', 'x-tenant': 'tenant' } },
    },
    // Envoy passes here what envoy.yaml would stop: the gate must hold by itself.
    change: ({ manager, extAuthz }) => {
      manager.normalize_path = false;
      manager.merge_slashes = false;
      delete manager.path_with_escaped_slashes_action;
      extAuthz.encode_raw_headers = true;
      delete manager.common_http_protocol_options.headers_with_underscores_action;
      const [virtualHost] = manager.route_config.virtual_hosts.slice(-1);
      virtualHost.routes.unshift({
        match: { prefix: '/unknown-policy' },
        route: { cluster: 'upstream' },
        typed_per_filter_config: {
          'envoy.filters.http.ext_authz': {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
            check_settings: { context_extensions: { 'portcullis.policy': 'no-such-policy' } },
          },
        },
      });
    },
  });
});

afterAll(async () => {
  await stack.upstream.close();
  await stopAll();
});

const foreignKey = createTestKey('ES256');
const bound = (): string => liveToken({ claims: { cnf: { jkt: 'A'.repeat(43) } } });

interface DenialCase {
  readonly code: string;
  readonly request: () => WireRequest;
  readonly status: number;
  /** Of every WWW-Authenticate; undefined: there is none. */
  readonly challenge?: RegExp;
}

const me = (...headers: (readonly [string, string])[]): WireRequest => ({ path: '/me/', headers });

const DENIED: DenialCase[] = [
  { code: 'missing_credential', request: () => me(), status: 401, challenge: /^Bearer(?!.*error=)/ },
  {
    code: 'malformed_credential',
    request: () => me(['authorization', 'Bearer a b']),
    status: 400,
    challenge: /error="invalid_request"/,
  },
  {
    code: 'multiple_credentials',
    request: () => me(bearer(liveToken()), bearer(liveToken())),
    status: 400,
    challenge: /error="invalid_request"/,
  },
  {
    code: 'token_too_large',
    request: () => me(bearer(liveToken({ claims: { padding: 'x'.repeat(5000) } }))),
    status: 400,
    challenge: /error="invalid_request"/,
  },
  {
    code: 'ambiguous_token_parameter',
    request: () => ({ path: '/me/?access%5Ftoken=x' }),
    status: 400,
  },
  {
    code: 'malformed_token',
    request: () => me(bearer('not.a.token')),
    status: 401,
    challenge: /error="invalid_token"/,
  },
  {
    code: 'untrusted_issuer',
    request: () => me(bearer(liveToken({ claims: { iss: 'https://evil.example' } }))),
    status: 401,
    challenge: /error="invalid_token"/,
  },
  {
    code: 'invalid_signature',
    request: () => me(bearer(liveToken({ key: foreignKey }))),
    status: 401,
    challenge: /error="invalid_token"/,
  },
  {
    code: 'invalid_audience',
    request: () => me(bearer(liveToken({ claims: { aud: 'https://other.example' } }))),
    status: 401,
    challenge: /error="invalid_token"/,
  },
  {
    code: 'expired_token',
    request: () => me(bearer(liveToken({ claims: { exp: Math.floor(Date.now() / 1000) - 3600 } }))),
    status: 401,
    challenge: /error="invalid_token"/,
  },
  {
    code: 'bound_token_as_bearer',
    request: () => me(bearer(bound())),
    status: 401,
    challenge: /^DPoP .*error="invalid_token"/,
  },
  {
    code: 'dpop_proof_missing',
    request: () => me(['authorization', `DPoP ${bound()}`]),
    status: 401,
    challenge: /^DPoP .*error="invalid_dpop_proof"/,
  },
  {
    code: 'insufficient_scope',
    request: () => ({ ...me(bearer(liveToken())), path: '/orders/1' }),
    status: 403,
    challenge: /error="insufficient_scope".*scope="orders:write"/,
  },
  { code: 'no_route', request: () => ({ ...me(bearer(liveToken())), path: '/nowhere' }), status: 403 },
  {
    code: 'ambiguous_path',
    request: () => ({ ...me(bearer(liveToken())), path: '/public/..%2fme/' }),
    status: 400,
  },
  {
    code: 'unknown_policy',
    request: () => ({ ...me(bearer(liveToken())), path: '/unknown-policy' }),
    status: 500,
  },
  {
    code: 'keys_unavailable',
    request: () => me(bearer(liveToken({ claims: { iss: DEAD_ISSUER, aud: 'a' } }))),
    status: 503,
  },
];

describe.each(['http1', 'http2'] as const)('%s', (version) => {
  const send = (request: WireRequest) => stack[version](request);

  test('a good token passes: identity goes upstream, the credential does not', async () => {
    const response = await send(me(bearer(liveToken({ claims: { sub: 'alice', tenant: 'acme' } }))));
    expect(response.status).toBe(200);
    const { headers } = echoed(response);
    expect(headers).toMatchObject({ 'x-user-id': ['alice'], 'x-tenant': ['acme'] });
    expect(headers).not.toHaveProperty('authorization');
  });

  test.each(DENIED)('$code is $status, with its challenge, and never reaches the upstream', async (row) => {
    const before = stack.upstream.requests.length;
    const response = await send(row.request());
    expect(response.status).toBe(row.status);
    expect(response.headers['content-type']).toEqual(['application/json']);
    expect(response.headers['cache-control']).toEqual(['no-store']);
    const challenges = response.headers['www-authenticate'] ?? [];
    if (row.challenge) expect(challenges[0]).toMatch(row.challenge);
    expect(JSON.parse(response.body)).toMatchObject({ error_description: expect.any(String) });
    expect(stack.upstream.requests).toHaveLength(before);
  });

  test.each(DENIED)('$code to a HEAD request has no body', async (row) => {
    const response = await send({ ...row.request(), method: 'HEAD' });
    expect([response.status, response.body]).toEqual([row.status, '']);
  });

  test.each([
    ['the very name', 'x-user-id'],
    ['all underscores', 'x_user_id'],
    ['one underscore', 'x_user-id'],
    ['dots', 'x.user.id'],
  ])('a spoofed identity header never reaches the upstream: %s', async (_title, name) => {
    const spoofed = [name, 'root'] as const;
    const responses = await Promise.all([
      send({ path: '/public/', headers: [spoofed, spoofed] }),
      send({ path: '/maybe', headers: [spoofed] }),
      send(me(bearer(liveToken({ claims: { sub: 'alice' } })), spoofed, ['x-tenant', 'root'])),
    ]);
    for (const response of responses) {
      expect(response.status).toBe(200);
      expect(response.body).not.toContain('root');
    }
    expect(echoed(responses[2]).headers['x-user-id']).toEqual(['alice']);
  });

  test.each(['X-HTTP-Method', 'x-http-method-override', 'X_Method_Override', 'x.http.method'])(
    'no allowed request carries %s upstream [security 2]',
    async (name) => {
      const override = [name, 'DELETE'] as const;
      const preflight = [
        ['origin', 'https://app.example.com'],
        ['access-control-request-method', 'POST'],
      ] as const;
      const responses = await Promise.all([
        send({ method: 'POST', path: '/admin/1', headers: [bearer(liveToken()), override] }),
        send({ method: 'OPTIONS', path: '/admin/1', headers: [...preflight, override] }),
        send({ path: '/public/', headers: [override] }),
      ]);
      for (const response of responses) {
        expect(response.status).toBe(200);
        expect(JSON.stringify(echoed(response).headers)).not.toContain('DELETE');
      }
    },
  );

  test('an alias of a header that a condition reads does not reach the upstream [security suspicion]', async () => {
    const headers = [
      bearer(liveToken()),
      ['x-org-id', 'acme'],
      ['x_org_id', 'evil'],
      ['x.org-id', 'evil'],
    ] as const;
    const response = await send({ path: '/tenant', headers });
    expect(response.status).toBe(200);
    expect(echoed(response).headers['x-org-id']).toEqual(['acme']);
    expect(response.body).not.toContain('evil');
  });

  test('50 KB of plus signs in the query cost nothing to speak of [security 1]', async () => {
    const response = await send({ path: `/me/?x${'+'.repeat(50_000)}x` });
    expect(response.status).toBe(401);
  });

  test('an anonymous route refuses an odd token parameter, and removes credentials without a look', async () => {
    expect((await send({ path: '/public/?Access_Token=x' })).status).toBe(400);
    const headers = [['authorization', 'Basic eA=='], bearer('a'), ['dpop', 'p'], ['dpop', 'q']] as const;
    const response = await send({ path: '/public/?access_token=a&access_token=b', headers });
    expect([response.status, echoed(response).url]).toEqual([200, '/public/']);
    expect(Object.keys(echoed(response).headers)).not.toEqual(
      expect.arrayContaining(['authorization', 'dpop']),
    );
  });

  test('two proofs beside an unbound token are 400', async () => {
    const response = await send(me(bearer(liveToken()), ['dpop', 'p'], ['dpop', 'q']));
    expect(response.status).toBe(400);
  });

  test('a token in the query passes, and the upstream does not see it', async () => {
    const response = await send({ path: `/me/?b=2&access_token=${liveToken()}&a=1` });
    expect(response.status).toBe(200);
    expect(echoed(response).url).toBe('/me/?a=1&b=2');
  });

  test('a token in a cookie passes, and the other cookies stay', async () => {
    const response = await send({ path: '/me/', headers: [['cookie', `a=1; session=${liveToken()}; b=2`]] });
    expect(response.status).toBe(200);
    const { cookie } = echoed(response).headers;
    expect(cookie?.join('; ')).toMatch(/^a=1; ?b=2$/);
  });

  test('a token in a header and one in a cookie are two', async () => {
    const response = await send(me(bearer(liveToken()), ['cookie', `session=${liveToken()}`]));
    expect(response.status).toBe(400);
  });
});

describe('true bytes', () => {
  /** Raw bytes on a socket: no client library would send them. */
  const sendBytes = (target: string, method = 'GET'): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(stack.envoy.port, '127.0.0.1');
      let answer = '';
      socket.setEncoding('latin1');
      socket.on('data', (text: string) => (answer += text));
      socket.on('error', reject);
      socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''));
      socket.write(
        Buffer.from(`${method} ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`, 'latin1'),
      );
    });

  test.each([
    ['as an overlong dot in the path', '/public/\u00c0\u00ae\u00c0\u00ae/me/'],
    ['in the query', '/public/?a=\u00ff'],
  ])('bytes that are not UTF-8 are refused %s [security 4]', async (_, target) => {
    const before = stack.upstream.requests.length;
    expect(await sendBytes(target)).toContain(' 400 ');
    expect(stack.upstream.requests).toHaveLength(before);
  });

  test.each(['get', 'Delete'])('the method %s is refused [security 9]', async (method) => {
    expect(await sendBytes('/public/', method)).toContain(' 400 ');
  });

  test('an exclamation mark is one [security 4]', async () => {
    expect(await sendBytes('/public/!!')).toContain(' 200 ');
  });
});

describe('gRPC clients', () => {
  const call = (headers: WireRequest['headers'] = [], path = '/me/Service/Method') =>
    stack.http2({
      method: 'POST',
      path,
      headers: [['content-type', 'application/grpc'], ['te', 'trailers'], ...headers],
      body: '\0\0\0\0\0',
    });

  test.each([
    ['16 UNAUTHENTICATED without a token', [], '/me/x', '16'],
    ['7 PERMISSION_DENIED without the scope', [bearer(liveToken())], '/orders/x', '7'],
    ['3 INVALID_ARGUMENT with two tokens', [bearer('a'), bearer('b')], '/me/x', '3'],
    [
      '14 UNAVAILABLE without keys',
      [bearer(liveToken({ claims: { iss: DEAD_ISSUER, aud: 'a' } }))],
      '/me/x',
      '14',
    ],
  ] as const)('get grpc-status %s', async (_title, headers, path, status) => {
    const response = await call(headers, path);
    expect([response.status, response.headers['grpc-status']]).toEqual([200, [status]]);
    expect(response.headers['grpc-message']?.[0]).toMatch(/\w/);
  });

  test('keep the challenge', async () => {
    const { headers } = await call();
    expect(headers['www-authenticate']?.[0]).toMatch(/^Bearer/);
  });
});

describe('WebSocket', () => {
  const UPGRADE = [
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ] as const;

  test('an upgrade without a token is 401', async () => {
    expect((await stack.http1({ path: '/socket', headers: UPGRADE })).status).toBe(401);
  });

  test('an upgrade with a token is made, as the user', async () => {
    const token = liveToken({ claims: { sub: 'socket-user' } });
    expect((await stack.http1({ path: '/socket', headers: [...UPGRADE, bearer(token)] })).status).toBe(101);
    expect(stack.upstream.requests.at(-1)?.headers['x-user-id']).toEqual(['socket-user']);
  });
});

describe('the access log', () => {
  test('has the reason and the subject, and never a token', async () => {
    const token = liveToken({ claims: { sub: 'logged-user' } });
    await stack.http1({ path: `/me/?access_token=${token}` });
    await stack.http1(me());
    const entries = () =>
      stack.envoy
        .log()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await until(() => entries().some((entry) => entry.reason === 'missing_credential'));
    await until(() => entries().some((entry) => entry.subject === 'logged-user'));
    expect(stack.envoy.log()).not.toContain(token);
  });
});
