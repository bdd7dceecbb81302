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

  test('server.failure error: the operator has chosen, and missing keys fail open', async () => {
    stack = await deadIssuer('error');
    expect((await stack.http1()).status).toBe(401);
    expect((await stack.http1({ headers: [bearer(liveToken())] })).status).toBe(200);
  });
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
