/** What becomes of requests when the gate, or what it needs, is gone. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
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
import { jktOf, mintProof } from '../support/proofs.js';
import { findRedis, startRedis } from '../support/provision-redis.mjs';
import { testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

let stack: GateStack;

afterEach(async () => {
  await stack.upstream.close();
});
afterAll(stopAll);

const SPOOFED = ['x-user-id', 'root'] as const;

describe('a server that was killed', () => {
  test('failure_mode_allow off, as in envoy.yaml: 503, and nothing goes upstream', async () => {
    stack = await startGateStack();
    expect((await stack.http1({ headers: [bearer(liveToken())] })).status).toBe(200);
    await stack.portcullis[0]!.stop('SIGKILL');
    const seen = stack.upstream.requests.length;
    expect((await stack.http1({ headers: [bearer(liveToken())] })).status).toBe(503);
    expect((await stack.http2({ headers: [bearer(liveToken())] })).status).toBe(503);
    expect(stack.upstream.requests).toHaveLength(seen);
  });

  // This is why envoy.yaml says false, and what the README warns of.
  test('failure_mode_allow on: Envoy lets a client through with what it says of itself', async () => {
    stack = await startGateStack({
      change: ({ extAuthz }) => {
        extAuthz.failure_mode_allow = true;
      },
    });
    await stack.portcullis[0]!.stop('SIGKILL');
    const response = await stack.http1({ headers: [SPOOFED] });
    expect(response.status).toBe(200);
    expect(echoed(response).headers['x-user-id']).toEqual(['root']);
  });
});

describe('failure_mode_allow on, and the gate alive', () => {
  const deadIssuer = async (failure: 'deny' | 'error') => {
    const jwksUri = `http://127.0.0.1:${await freePort()}/jwks`;
    const { issuer, audiences } = PLAIN_CONFIG.issuers[0]!;
    return startGateStack({
      config: { server: { ...PLAIN_CONFIG.server, failure }, issuers: [{ issuer, audiences, jwksUri }] },
      change: ({ extAuthz }) => {
        extAuthz.failure_mode_allow = true;
      },
    });
  };

  test('server.failure deny: a denial is a denial, and missing keys stay closed', async () => {
    stack = await deadIssuer('deny');
    expect((await stack.http1()).status).toBe(401);
    const response = await stack.http1({ headers: [bearer(liveToken())] });
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']?.[0]).toMatch(/^\d+$/);
    expect(stack.upstream.requests).toEqual([]);
  });

  test('server.failure error: keys are missing for a token that nobody has verified, so it stays closed', async () => {
    stack = await deadIssuer('error');
    expect((await stack.http1()).status).toBe(401);
    expect((await stack.http1({ headers: [bearer(liveToken()), SPOOFED] })).status).toBe(503);
    const unsigned = `${liveToken().split('.').slice(0, 2).join('.')}.AAAA`;
    expect((await stack.http1({ headers: [bearer(unsigned), SPOOFED] })).status).toBe(503);
    expect(stack.upstream.requests).toEqual([]);
  });
});

describe('server.failure error and failure_mode_allow on: what a client can cause stays a denial', () => {
  const clientKey = testKey('ES256', 'client');
  const token = liveToken({ claims: { cnf: { jkt: jktOf(clientKey) } } });
  const withProof = () => {
    const claims = { htu: `${stack.envoy.url}/`, iat: Math.floor(Date.now() / 1000) };
    return [
      ['authorization', `DPoP ${token}`],
      ['dpop', mintProof({ key: clientKey, token, claims })],
      SPOOFED,
    ] as const;
  };
  const openStack = (config: Record<string, unknown>, extensions?: Record<string, string>) =>
    startGateStack({
      config: {
        ...config,
        server: { ...PLAIN_CONFIG.server, failure: 'error', ...(config.server as object | undefined) },
      },
      change: ({ extAuthz, manager }) => {
        extAuthz.failure_mode_allow = true;
        if (extensions === undefined) return;
        manager.route_config.virtual_hosts = manager.route_config.virtual_hosts.slice(-1);
        manager.route_config.virtual_hosts[0].typed_per_filter_config = {
          'envoy.filters.http.ext_authz': {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
            check_settings: { context_extensions: extensions },
          },
        };
      },
    });

  test('an unknown policy: 500', async () => {
    stack = await openStack({}, { 'portcullis.policy': 'nobody-configured-this' });
    expect((await stack.http1({ headers: [bearer(liveToken()), SPOOFED] })).status).toBe(500);
    expect(stack.upstream.requests).toEqual([]);
  });

  test('a message over maxMessageBytes: 413', async () => {
    stack = await openStack({ server: { limits: { maxMessageBytes: '4KiB', eventLoopDelay: '5s' } } });
    expect((await stack.http1({ headers: [bearer(liveToken())] })).status).toBe(200);
    const headers = [bearer(liveToken()), SPOOFED, ['x-padding', 'p'.repeat(8000)]] as const;
    expect((await stack.http1({ headers })).status).toBe(413);
    expect(stack.upstream.requests).toHaveLength(1);
  });

  test('a full replay memory: 503', async () => {
    stack = await openStack({ replay: { store: 'memory', maxEntries: 1 } });
    expect((await stack.http1({ headers: withProof() })).status).toBe(200);
    expect((await stack.http1({ headers: withProof() })).status).toBe(503);
    expect(stack.upstream.requests).toHaveLength(1);
  });

  const testWithRedis = findRedis() === undefined ? test.skip : test;
  testWithRedis(
    'a replay store out of reach is an outage, and the operator has chosen: it fails open',
    async () => {
      const redis = await startRedis();
      stack = await openStack({ redis: { url: redis.url }, replay: { store: 'redis' } });
      expect((await stack.http1({ headers: withProof() })).status).toBe(200);
      await redis.stop('SIGKILL');
      const seen = stack.upstream.requests.length;
      // Until the lost connection is noticed the answer is a plain 503.
      await until(async () => (await stack.http1({ headers: withProof() })).status === 200);
      expect(stack.upstream.requests).toHaveLength(seen + 1);
      expect((await stack.http1({ headers: [['authorization', `DPoP ${token}`], SPOOFED] })).status).toBe(
        401,
      );
    },
  );
});

describe('two replicas', () => {
  test('one drains while requests come: none fails', async () => {
    stack = await startGateStack({ replicas: 2 });
    const token = bearer(liveToken());
    const statuses: number[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) statuses.push((await stack.http1({ headers: [token] })).status);
    };
    const clients = [client(), client(), client(), client()];
    const more = (count: number) => {
      const enough = statuses.length + count;
      return until(() => statuses.length >= enough);
    };
    await more(50);
    await stack.portcullis[0]!.stop('SIGTERM');
    await more(50);
    isOver = true;
    await Promise.all(clients);
    expect(await stack.portcullis[0]!.exited).toEqual({ code: 0, signal: null });
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await stack.http1({ headers: [token] })).status).toBe(200);
  });
});
