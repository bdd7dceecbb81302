/** Two Portcullis processes behind one Envoy share what is spent through a real Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, echoed, liveToken, startGateStack, type GateStack } from '../support/gate-stack.js';
import { stopAll } from '../support/processes.mjs';
import { jktOf, mintProof, type ProofOptions } from '../support/proofs.js';
import { findRedis, REDIS_ADVICE, startRedis } from '../support/provision-redis.mjs';
import { testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

const hasRedis = findRedis() !== undefined;
if (!hasRedis) process.stderr.write(`SKIPPED: test/e2e/dpop-replicas.test.ts: ${REDIS_ADVICE}\n`);
const describeWithRedis = hasRedis ? describe : describe.skip;

const COPIES = 50;
const clientKey = testKey('ES256', 'client');
const token = liveToken({ claims: { sub: 'alice', cnf: { jkt: jktOf(clientKey) } } });

let redis: Awaited<ReturnType<typeof startRedis>>;
let stack: GateStack;

const headersWith = (options: ProofOptions = {}) => {
  const claims = { htu: `${stack.envoy.url}/`, iat: Math.floor(Date.now() / 1000), ...options.claims };
  const proof = mintProof({ key: clientKey, token, ...options, claims });
  return [
    ['authorization', `DPoP ${token}`],
    ['dpop', proof],
  ] as const;
};

const count = (statuses: readonly number[], status: number) =>
  statuses.filter((one) => one === status).length;

describeWithRedis('a DPoP proof', () => {
  beforeAll(async () => {
    redis = await startRedis();
    stack = await startGateStack({
      replicas: 2,
      config: { redis: { url: redis.url }, replay: { store: 'redis' } },
      change: ({ extAuthz }) => {
        extAuthz.grpc_service.timeout = '5s';
        extAuthz.grpc_service.retry_policy.retry_back_off.max_interval = '5s';
      },
    });
  });
  afterAll(async () => {
    await stack.upstream.close();
    await stopAll();
  });
  afterEach(async () => {
    if (!redis.isRunning()) redis = await startRedis({ port: redis.port });
  });

  test('passes once, and neither token nor proof goes upstream', async () => {
    const headers = headersWith();
    const first = await stack.http1({ headers });
    expect(first.status).toBe(200);
    expect(echoed(first).headers).toMatchObject({ 'x-user-id': ['alice'] });
    expect(first.body).not.toContain('dpop');
    const again = [await stack.http1({ headers }), await stack.http2({ headers })];
    for (const { status, headers: received } of again) {
      expect(status).toBe(401);
      expect(received['www-authenticate']?.join()).toContain('error="invalid_dpop_proof"');
    }
  });

  test('sent fifty times at once to two replicas passes exactly once', async () => {
    const headers = headersWith();
    const responses = await Promise.all(Array.from({ length: COPIES }, () => stack.http1({ headers })));
    const statuses = responses.map(({ status }) => status);
    // On a busy machine Redis may answer too late for some: refused, too.
    const late = count(statuses, 503);
    expect(count(statuses, 200) + count(statuses, 401) + late).toBe(COPIES);
    expect(count(statuses, 401)).toBeGreaterThan(0);
    expect(count(statuses, 200)).toBeLessThanOrEqual(1);
    if (late === 0) expect(count(statuses, 200)).toBe(1);
    const asked = await Promise.all(
      stack.portcullis.map(async (one) => (await one.metrics()).includes('portcullis_checks_total{')),
    );
    expect(asked).toEqual([true, true]);
  });

  test('of another key, or for another target, is refused and not spent', async () => {
    const jti = 'one-identity-for-all';
    const wrong = [
      headersWith({ key: testKey('ES256', 'thief'), claims: { jti } }),
      headersWith({ claims: { jti, htu: `${stack.envoy.url}/other` } }),
      headersWith({ claims: { jti, htm: 'POST' } }),
    ];
    for (const headers of wrong) expect((await stack.http1({ headers })).status).toBe(401);
    expect((await stack.http1({ headers: headersWith({ claims: { jti } }) })).status).toBe(200);
  });

  test('is refused with 503 while Redis is gone, and passes when it is back; Bearer goes on', async () => {
    await redis.stop('SIGKILL');
    await until(async () => (await stack.http1({ headers: headersWith() })).status === 503);
    expect((await stack.http1({ headers: headersWith() })).status).toBe(503);
    expect((await stack.http1({ headers: [bearer(liveToken())] })).status).toBe(200);
    redis = await startRedis({ port: redis.port });
    await until(async () => (await stack.http1({ headers: headersWith() })).status === 200);
  });
});
