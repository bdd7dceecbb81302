/** Envoy chooses the policy, and sends headers in its two forms: settings of the filter, driven for real. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { EnvoyParts } from '../support/envoy-config.mjs';
import {
  bearer,
  echoed,
  liveToken,
  PLAIN_CONFIG,
  startGateStack,
  type GateStack,
} from '../support/gate-stack.js';
import { stopAll } from '../support/processes.mjs';

let stack: GateStack;

afterEach(async () => {
  await stack.upstream.close();
});
afterAll(stopAll);

const POLICIES = {
  policies: {
    public: { access: 'anonymous' },
    'orders-read': { scopes: { all: ['orders:read'] } },
    'orders-write': { scopes: { all: ['orders:write'] } },
  },
  credentials: [{ header: 'authorization' }, { cookie: 'session' }],
};

const reader = (): readonly [string, string] => bearer(liveToken({ claims: { scope: 'orders:read' } }));

describe('context_extensions, as envoy.yaml shows them', () => {
  const ORDERS = 'orders.example.com';

  test('a virtual host chooses for its routes, a route chooses over it, others keep the default', async () => {
    stack = await startGateStack({ config: POLICIES });
    const send = (method: string, host?: string) =>
      stack.http1({ method, headers: [reader()], ...(host ? { host } : {}) });
    expect((await send('GET', ORDERS)).status).toBe(200);
    expect((await send('POST', ORDERS)).status).toBe(403);
    expect((await send('POST')).status).toBe(200);
  });

  test('a name that is not configured is 500, also with an anonymous default', async () => {
    stack = await startGateStack({ config: { policies: { default: { access: 'anonymous' } } } });
    expect((await stack.http1({ host: ORDERS })).status).toBe(500);
    expect((await stack.http1()).status).toBe(200);
    expect(stack.upstream.requests).toHaveLength(1);
  });

  test('a route that disables the filter is not asked about', async () => {
    stack = await startGateStack({ config: POLICIES });
    expect((await stack.http1({ path: '/healthz' })).status).toBe(200);
    expect((await stack.http1()).status).toBe(401);
  });
});

describe('gRPC metadata and :authority', () => {
  const withMetadata = ({ extAuthz }: EnvoyParts): void => {
    extAuthz.grpc_service.initial_metadata = [{ key: 'portcullis-policy', value: 'orders-write' }];
  };

  test('initial_metadata chooses, and a route goes before it', async () => {
    stack = await startGateStack({ config: POLICIES, change: withMetadata });
    expect((await stack.http1({ headers: [reader()] })).status).toBe(403);
    expect((await stack.http1({ host: 'orders.example.com', headers: [reader()] })).status).toBe(200);
  });

  test('a client cannot choose by sending the header', async () => {
    stack = await startGateStack({ config: POLICIES });
    const response = await stack.http1({ headers: [['portcullis-policy', 'public']] });
    expect(response.status).toBe(401);
  });

  test('the authority chooses, and initial_metadata goes before it', async () => {
    const config = {
      ...POLICIES,
      server: { ...PLAIN_CONFIG.server, authorities: { 'public.portcullis.internal': 'public' } },
    };
    const withAuthority = ({ extAuthz }: EnvoyParts): void => {
      extAuthz.grpc_service.envoy_grpc.authority = 'public.portcullis.internal';
    };
    stack = await startGateStack({ config, change: withAuthority });
    expect((await stack.http1()).status).toBe(200);
    await stack.upstream.close();
    stack = await startGateStack({
      config,
      change: (parts) => {
        withAuthority(parts);
        withMetadata(parts);
      },
    });
    expect((await stack.http1()).status).toBe(401);
  });
});

describe.each([false, true])('encode_raw_headers: %s', (raw) => {
  const start = () =>
    startGateStack({
      config: POLICIES,
      change: ({ extAuthz }) => {
        extAuthz.encode_raw_headers = raw;
      },
    });

  test('a good token passes; cookies, spoofed and doubled headers are read as they are', async () => {
    stack = await start();
    const token = liveToken({ claims: { sub: 'alice' } });
    const passed = await stack.http1({
      headers: [bearer(token), ['x-user-id', 'root'], ['x-user-id', 'root']],
    });
    expect([passed.status, echoed(passed).headers['x-user-id']]).toEqual([200, ['alice']]);
    const cookies = [
      ['cookie', 'a=1'],
      ['cookie', `session=${token}`],
    ] as const;
    expect((await stack.http1({ headers: cookies })).status).toBe(200);
    expect((await stack.http2({ headers: cookies })).status).toBe(200);
  });

  test('two Authorization fields, and two DPoP fields, are 400', async () => {
    stack = await start();
    const token = liveToken({ claims: { cnf: { jkt: 'A'.repeat(43) } } });
    expect((await stack.http1({ headers: [bearer(token), bearer(token)] })).status).toBe(400);
    const doubled = [
      ['authorization', `DPoP ${token}`],
      ['dpop', 'a.b.c'],
      ['dpop', 'a.b.c'],
    ] as const;
    expect((await stack.http1({ headers: doubled })).status).toBe(400);
    expect((await stack.http2({ headers: doubled })).status).toBe(400);
  });
});

describe('other kinds of call', () => {
  test('gRPC-Web clients get the status, and their own form of it', async () => {
    stack = await startGateStack({
      change: ({ manager }) => {
        manager.http_filters.unshift({
          name: 'envoy.filters.http.grpc_web',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb' },
        });
      },
    });
    const headers = [['content-type', 'application/grpc-web+proto']] as const;
    const response = await stack.http1({
      method: 'POST',
      path: '/shop.Orders/Place',
      headers,
      body: '\0\0\0\0\0',
    });
    expect(response.status).toBe(401);
    expect(response.headers['grpc-status']).toEqual(['16']);
    expect(response.headers['www-authenticate']?.[0]).toMatch(/^Bearer/);
  });

  test('CONNECT is decided like any request, though it has no path', async () => {
    stack = await startGateStack({
      change: ({ manager }) => {
        manager.upgrade_configs.push({ upgrade_type: 'CONNECT' });
        manager.route_config.virtual_hosts.at(-1).routes.unshift({
          match: { connect_matcher: {} },
          route: { cluster: 'upstream', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
        });
      },
    });
    const connect = { method: 'CONNECT', path: 'db.internal:5432', host: 'db.internal:5432' };
    expect((await stack.http1(connect)).status).toBe(401);
    expect((await stack.http1({ ...connect, headers: [bearer(liveToken())] })).status).toBe(200);
  });
});
